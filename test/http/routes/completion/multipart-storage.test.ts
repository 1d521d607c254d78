import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createCrc64 } from '../../../../src/emulator/objects/crc64.ts';
import { confirmRule } from '../../../support/completion-app.ts';
import { startLossyProxy } from '../../../support/lossy-proxy.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import {
  createMultipartApp,
  type Json,
  multipartRule,
  PART_SIZE,
  type PartOptions,
  putPart,
  type Reply,
} from '../../../support/multipart-app.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { LONG_LIVED, startTestEmulator, TEMPORARY } from '../../../support/test-emulator.ts';
import { createTestIssuer } from '../../../support/tokens.ts';

const KEY = 'users/alice/film.txt';
const BYTES = new Uint8Array(2 * PART_SIZE + 50).map((_, index) => index % 251);
const NEW = { rules: [multipartRule(), confirmRule()] };
const RULE_OF_COMPLETE = /^POST \S*uploadId=/;

/** The bytes of a part of {@link BYTES}. */
const part = (number: number) => BYTES.slice((number - 1) * PART_SIZE, number * PART_SIZE);

/** An emulator behind a proxy, the service that uses it, and an upload of {@link BYTES}. */
async function setUp(options: Parameters<typeof createMultipartApp>[1] = NEW) {
  // Changed by a test that rotates credentials.
  const accepted = [LONG_LIVED, TEMPORARY];
  const emulator = await startTestEmulator({ credentials: accepted });
  const proxy = await startLossyProxy(emulator.url);
  const shared = { url: proxy.url, keys: serviceKeysOf('first'), issuer: createTestIssuer() };
  const app = await createMultipartApp(shared, options);
  const send = (id: string, number: number, body = part(number), more: PartOptions = {}) =>
    putPart(shared, id, number, body, more);
  return {
    ...app,
    accepted,
    emulator,
    proxy,
    send,
    /** Another replica, which knows of an upload only its id. */
    replica: (change: Parameters<typeof createMultipartApp>[1] = NEW) => createMultipartApp(shared, change),
    begin: (more: Json = {}) => app.begin(KEY, BYTES.length, more),
    async sendAll(id: string) {
      for (const number of [1, 2, 3]) expect(await send(id, number)).toBe(200);
    },
    /** The bytes of the object; undefined if there is none. */
    async stored() {
      const response = await fetch(emulator.presign({ method: 'GET', key: KEY }));
      return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : undefined;
    },
  };
}

function expectStored({ status, body }: Reply) {
  expect([status, body]).toMatchObject([
    200,
    { state: 'stored', contentLength: BYTES.length, receipt: expect.any(String) },
  ]);
}

const codeOf = ({ status, body }: Reply) => [status, body.code];
const missingOf = ({ body }: Reply) =>
  (body.missing as readonly { readonly from: number; readonly to: number }[]).map(({ from, to }) => [
    from,
    to,
  ]);

it('assembles parts that arrive out of order and twice, and states the CRC-64 of the whole', async () => {
  const { begin, send, call, stored } = await setUp();
  const id = await begin();
  expect(await send(id, 2, new Uint8Array(PART_SIZE))).toBe(200);
  for (const number of [3, 1, 2, 3]) expect(await send(id, number)).toBe(200);
  const crc = createCrc64();
  crc.update(BYTES);
  const completed = await call('complete', id, { crc64: String(crc.digest()) });
  expectStored(completed);
  expect(completed.body.crc64).toBe(String(crc.digest()));
  expect(await stored()).toStrictEqual(BYTES);
  expect((await call('status', id)).body.state).toBe('stored');
});

it('takes each part with what the service signs for it', async () => {
  const { begin, post, call, stored } = await setUp();
  const id = await begin();
  const contentMd5 = { 2: createHash('md5').update(part(2)).digest('base64') };
  const { status, body } = await post('/v1/uploads/parts', { id, partNumbers: [3, 1, 2], contentMd5 });
  expect(status).toBe(200);
  for (const signed of body.parts as readonly Readonly<Record<string, never>>[]) {
    const { partNumber = 0, offset = 0, contentLength = 0, method = '', url = '', headers = {} } = signed;
    expect([offset, contentLength]).toStrictEqual([(partNumber - 1) * PART_SIZE, part(partNumber).length]);
    const response = await fetch(url, { method, headers, body: BYTES.slice(offset, offset + contentLength) });
    expect(response.status).toBe(200);
  }
  expectStored(await call('complete', id));
  expect(await stored()).toStrictEqual(BYTES);
});

it('completes nothing with parts that are too short or too long, even if somebody else signed them', async () => {
  const { begin, send, call, stored } = await setUp();
  const id = await begin();
  // With the URL of the grant, the storage rejects another length.
  expect(await send(id, 1, new Uint8Array(PART_SIZE - 1))).toBe(403);
  expect(await send(id, 3, new Uint8Array(51))).toBe(403);
  expect(await send(id, 1, new Uint8Array(PART_SIZE - 1), { contentLength: PART_SIZE - 1 })).toBe(200);
  expect(await send(id, 2)).toBe(200);
  expect(await send(id, 3, new Uint8Array(51), { contentLength: 51 })).toBe(200);
  const rejected = await call('complete', id);
  expect([codeOf(rejected), missingOf(rejected)]).toStrictEqual([
    [409, 'upload_incomplete'],
    [
      [1, 1],
      [3, 3],
    ],
  ]);
  const { body } = await call('status', id);
  expect(body).toMatchObject({ state: 'open', missing: rejected.body.missing });
  expect(body.parts).toStrictEqual([
    {
      partNumber: 2,
      contentLength: PART_SIZE,
      etag: createHash('md5').update(part(2)).digest('hex').toUpperCase(),
    },
  ]);
  expect(await stored()).toBeUndefined();
  for (const number of [1, 3]) expect(await send(id, number)).toBe(200);
  expectStored(await call('complete', id));
});

it('leaves out a part that the grant does not have', async () => {
  const { begin, send, sendAll, call, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  expect(await send(id, 4, new Uint8Array(PART_SIZE), { contentLength: PART_SIZE })).toBe(200);
  expect((await call('status', id)).body).toMatchObject({ missing: [], partCount: 3 });
  expectStored(await call('complete', id));
  expect(await stored()).toStrictEqual(BYTES);
});

it('keeps the parts of two uploads for one key apart', async () => {
  const { begin, send, sendAll, call } = await setUp();
  const [first, second] = [await begin(), await begin()];
  await sendAll(first);
  expect(await send(second, 1)).toBe(200);
  expect(missingOf(await call('complete', second))).toStrictEqual([[2, 3]]);
  expectStored(await call('complete', first));
  await sendAll(second);
  expect(codeOf(await call('complete', second))).toStrictEqual([409, 'object_exists']);
  expectStored(await call('complete', first));
});

it('gets no part whose MD5 differs', async () => {
  const { begin, send, call } = await setUp();
  const id = await begin();
  const contentMd5 = createHash('md5').update(part(1)).digest('base64');
  expect(await send(id, 1, new Uint8Array(PART_SIZE), { contentMd5 })).toBe(400);
  expect(missingOf(await call('status', id))).toStrictEqual([[1, 3]]);
  expect(await send(id, 1, part(1), { contentMd5 })).toBe(200);
  expect(missingOf(await call('status', id))).toStrictEqual([[2, 3]]);
});

it('continues with other credentials after the first ones were removed', async () => {
  let current: typeof LONG_LIVED | typeof TEMPORARY = LONG_LIVED;
  const { begin, send, call, accepted } = await setUp({ ...NEW, credentials: () => current });
  const id = await begin();
  expect(await send(id, 1)).toBe(200);
  current = TEMPORARY;
  accepted.splice(0, 1);
  expect(await send(id, 2)).toBe(403);
  for (const number of [2, 3])
    expect(await send(id, number, part(number), { credentials: TEMPORARY })).toBe(200);
  expectStored(await call('complete', id));
});

it.each(['request', 'response'] as const)(
  'begins an upload although a %s to begin it is lost',
  async (what) => {
    const { begin, sendAll, call, proxy } = await setUp();
    proxy.loseNext(what, /^POST \S*\?(?:\S*&)?uploads(?:=|&|$)/);
    const id = await begin();
    await sendAll(id);
    expectStored(await call('complete', id));
  },
);

it.each(['request', 'response'] as const)(
  'accepts a part that is sent again after a lost %s',
  async (what) => {
    const { begin, send, sendAll, call, proxy } = await setUp();
    const id = await begin();
    proxy.loseNext(what, /^PUT \S*partNumber=2/);
    await expect(send(id, 2)).rejects.toThrow('fetch failed');
    expect(missingOf(await call('status', id))).toStrictEqual(
      what === 'request'
        ? [[1, 3]]
        : [
            [1, 1],
            [3, 3],
          ],
    );
    await sendAll(id);
    expectStored(await call('complete', id));
  },
);

it('confirms an upload in the same call if only the response to complete it is lost', async () => {
  const { begin, sendAll, call, proxy, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  proxy.loseNext('response', RULE_OF_COMPLETE);
  expectStored(await call('complete', id));
  expect(await stored()).toStrictEqual(BYTES);
});

it('reports that the storage failed if the request to complete is lost, and completes it later', async () => {
  const { begin, sendAll, call, proxy, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  proxy.loseNext('request', RULE_OF_COMPLETE);
  expect(codeOf(await call('complete', id))).toStrictEqual([503, 'unavailable']);
  expect(await stored()).toBeUndefined();
  expect(missingOf(await call('status', id))).toStrictEqual([]);
  expectStored(await call('complete', id));
});

it('settles an upload with the next call if the object could not be checked', async () => {
  const { begin, sendAll, call, proxy } = await setUp();
  const id = await begin();
  await sendAll(id);
  // The client of the storage tries each check twice.
  for (let tries = 0; tries < 2; tries += 1) proxy.loseNext('response', /^HEAD /);
  expect(codeOf(await call('complete', id))).toStrictEqual([503, 'unavailable']);
  expectStored(await call('complete', id));
});

it.each(['request', 'response'] as const)('aborts an upload although a %s is lost', async (what) => {
  const { begin, send, call, proxy, emulator } = await setUp();
  const id = await begin();
  expect(await send(id, 1)).toBe(200);
  proxy.loseNext(what, /^DELETE /);
  expect((await call('abort', id)).status).toBe(204);
  expect((await call('abort', id)).status).toBe(204);
  expect((await call('status', id)).body.state).toBe('absent');
  expect(await send(id, 2)).toBe(404);
  expect(emulator.files()).toStrictEqual([]);
});

it('confirms an upload to all of several calls at once, also on several replicas', async () => {
  const { begin, sendAll, call, replica, stored } = await setUp();
  const other = await replica();
  const id = await begin();
  await sendAll(id);
  const replies = await Promise.all(
    [call, other.call, call, other.call].map((complete) => complete('complete', id)),
  );
  for (const reply of replies) expectStored(reply);
  expect(await stored()).toStrictEqual(BYTES);
});

it('settles a call that is overtaken by another one after its list', async () => {
  const { begin, sendAll, call, replica, proxy } = await setUp();
  const other = await replica();
  const id = await begin();
  await sendAll(id);
  proxy.afterNext(/^GET \S*uploadId=/, async () => expectStored(await other.call('complete', id)));
  expectStored(await call('complete', id));
});

it('completes with the bytes of a part that is replaced after the list', async () => {
  const { begin, sendAll, send, call, proxy, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  const replaced = new Uint8Array(PART_SIZE).fill(7);
  proxy.afterNext(/^GET \S*uploadId=/, async () => expect(await send(id, 2, replaced)).toBe(200));
  expectStored(await call('complete', id));
  expect((await stored())?.slice(PART_SIZE, 2 * PART_SIZE)).toStrictEqual(replaced);
});

it('completes nothing if a part is replaced by a longer one after the list', async () => {
  const { begin, sendAll, send, call, proxy, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  proxy.afterNext(/^GET \S*uploadId=/, async () => {
    expect(await send(id, 3, new Uint8Array(51), { contentLength: 51 })).toBe(200);
  });
  expect(missingOf(await call('complete', id))).toStrictEqual([[3, 3]]);
  expect(await stored()).toBeUndefined();
});

it('completes nothing if the upload is aborted after the list', async () => {
  const { begin, sendAll, call, replica, proxy, stored } = await setUp();
  const other = await replica();
  const id = await begin();
  await sendAll(id);
  proxy.afterNext(/^GET \S*uploadId=/, async () => {
    expect((await other.call('abort', id)).status).toBe(204);
  });
  expect(codeOf(await call('complete', id))).toStrictEqual([404, 'upload_absent']);
  expect(await stored()).toBeUndefined();
});

it('keeps an object that is aborted after it was completed', async () => {
  const { begin, sendAll, call, stored } = await setUp();
  const id = await begin();
  await sendAll(id);
  expectStored(await call('complete', id));
  expect((await call('abort', id)).status).toBe(204);
  expectStored(await call('complete', id));
  expect(await stored()).toStrictEqual(BYTES);
});

it('replaces no object that appears after the upload began, and keeps it', async () => {
  const { begin, sendAll, call, emulator } = await setUp();
  const id = await begin();
  await sendAll(id);
  expect((await emulator.put(KEY, 'other')).status).toBe(200);
  expect(codeOf(await call('complete', id))).toStrictEqual([409, 'object_exists']);
  expect(await (await fetch(emulator.presign({ method: 'GET', key: KEY }))).text()).toBe('other');
  // The upload is still open, so it can be aborted.
  expect((await call('abort', id)).status).toBe(204);
  expect(codeOf(await call('complete', id))).toStrictEqual([409, 'upload_mismatch']);
});

it('replaces an object if the grant and the rule allow it, and none once the rule no longer does', async () => {
  const { begin, sendAll, call, emulator, replica, stored } = await setUp({
    rules: [multipartRule({ overwrite: true })],
  });
  const strict = await replica();
  expect((await emulator.put(KEY, 'old')).status).toBe(200);
  const id = await begin({ overwrite: true });
  await sendAll(id);
  expect(codeOf(await strict.call('complete', id))).toStrictEqual([409, 'object_exists']);
  expectStored(await call('complete', id));
  expect(await stored()).toStrictEqual(BYTES);
});

it.each<[string, Parameters<typeof createMultipartApp>[1], Json?]>([
  ['its rule was removed', { rules: [multipartRule({ name: 'other' })] }],
  ['its target was pointed at another bucket', { bucket: 'acme-other' }],
  [
    'the claim of the prefix changed',
    { rules: [multipartRule({ prefix: 'users/{folder}/' })] },
    { folder: 'bob' },
  ],
])('continues no upload after %s, until that is undone', async (_title, change, claims) => {
  const { begin, send, call, replica, proxy } = await setUp();
  const id = await begin();
  expect(await send(id, 1)).toBe(200);
  const changed = await replica(change);
  const requestCount = proxy.requests.length;
  for (const operation of ['status', 'complete', 'abort'] as const)
    expect(codeOf(await changed.call(operation, id, {}, claims))).toStrictEqual([403, 'upload_id_invalid']);
  expect(proxy.requests).toHaveLength(requestCount);
  for (const number of [2, 3]) expect(await send(id, number)).toBe(200);
  expectStored(await call('complete', id));
});

it('continues an upload after each step on a new replica that has only the id', async () => {
  const { begin, send, replica } = await setUp();
  const id = await begin();
  for (const number of [3, 1, 2]) {
    const { call } = await replica();
    const missing = missingOf(await call('status', id));
    expect(missing.some(([from = 0, to = 0]) => from <= number && number <= to)).toBe(true);
    expect(await send(id, number)).toBe(200);
    if (number !== 2) expect(codeOf(await call('complete', id))).toStrictEqual([409, 'upload_incomplete']);
  }
  expectStored(await (await replica()).call('complete', id));
  expectStored(await (await replica()).call('complete', id));
});

it('continues an upload until its id expires, whatever the clock of its parts', async () => {
  const { clock, advance } = createManualClock();
  const { begin, sendAll, call, replica } = await setUp({
    rules: [multipartRule({ uploadExpiresIn: '1h' })],
  });
  const id = await begin();
  await sendAll(id);
  const later = await replica({ rules: [multipartRule({ uploadExpiresIn: '1h' })], clock });
  advance(3600 * 1000);
  for (const operation of ['status', 'complete', 'abort'] as const)
    expect(codeOf(await later.call(operation, id))).toStrictEqual([410, 'upload_id_expired']);
  expectStored(await call('complete', id));
});

it('writes neither an id nor a signature to the log', async () => {
  const { begin, sendAll, call, log, proxy } = await setUp();
  const id = await begin();
  await sendAll(id);
  proxy.loseNext('request', RULE_OF_COMPLETE);
  await call('complete', id);
  await call('complete', id);
  await call('abort', id);
  const uploadId = proxy.requests.map((line) => /uploadId=(\w+)/.exec(line)?.[1]).find(Boolean) ?? '-';
  for (const secret of [id, id.split('.')[0] ?? '', id.split('.')[1] ?? '', uploadId, 'OSS4-HMAC'])
    expect(log.join('')).not.toContain(secret);
});
