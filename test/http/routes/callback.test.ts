import { createSign, generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { Notifier } from '../../../src/grants/ports/notifier.ts';
import { createCallbackKeys } from '../../../src/storage/oss/callbacks/callback-keys.ts';
import { createCallbackVerifier } from '../../../src/storage/oss/callbacks/verify-callback.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { confirmRule, createCompletionApp } from '../../support/completion-app.ts';
import { fixedClock, now } from '../../support/fixed-clock.ts';
import { GRANT_ID, grantedMultipart, storedObject } from '../../support/granted-upload.ts';
import { hookSecret } from '../../support/notifications.ts';
import { ownFilesRule } from '../../support/policies.ts';

const PATH = '/v1/callbacks/oss';
const KEY_URL = 'https://gosspublic.alicdn.com/callback_pub_key_v1.pem';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const base64 = (text: string) => Buffer.from(text).toString('base64');
const sign = (body: string, target = PATH) =>
  createSign('RSA-MD5').update(`${target}\n${body}`).sign(privateKey, 'base64');

const callbackRule = (fields = {}) => ownFilesRule({ transfers: ['put', 'form'], callback: true, ...fields });

type Options = Parameters<typeof createCompletionApp>[0] & {
  /** The response of the address of the key. */
  readonly fetchKey?: typeof fetch;
};

/** A service with a rule that has a callback. It fetches the key of OSS from `fetchKey`. */
async function setUp({ fetchKey, ...options }: Options = {}) {
  const fetched: string[] = [];
  const timeouts: { readonly ms: number; readonly fire: () => void }[] = [];
  const app = await createCompletionApp({
    rules: [callbackRule(), confirmRule()],
    callbacks: createCallbackVerifier({
      url: `https://presign.test${PATH}`,
      key: undefined,
      findKey: createCallbackKeys({
        fetch: async (url, init) => {
          fetched.push(String(url));
          return fetchKey ? fetchKey(url, init) : new Response(PEM);
        },
        clock: fixedClock,
        timeout: (ms) => {
          const controller = new AbortController();
          timeouts.push({ ms, fire: () => controller.abort() });
          return controller.signal;
        },
      }),
    }),
    ...options,
  });
  /** Calls as OSS does; `headers` change those of the call. */
  const callBack = (body: string, headers: Readonly<Record<string, string>> = {}, target = PATH) =>
    app.http
      .post(target)
      .set({
        authorization: sign(body, target),
        'content-type': 'application/json',
        'x-oss-pub-key-url': base64(KEY_URL),
        ...headers,
      })
      .send(body);
  const bodyOf = (...fields: Parameters<typeof app.idOf>) => JSON.stringify({ id: app.idOf(...fields) });
  return { ...app, callBack, bodyOf, fetched, timeouts };
}

const OBJECT = {
  grantId: GRANT_ID,
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  key: 'users/alice/photo.png',
};
const ALICE = { issuer: 'https://login.test/', subject: 'alice' };

it('confirms an upload, without a receipt, and responds to a replay alike', async () => {
  const { callBack, bodyOf, heads, fetched } = await setUp();
  const body = bodyOf();
  for (let time = 0; time < 3; time += 1) {
    const response = await callBack(body);
    expect([response.status, response.text]).toStrictEqual([200, '{"state":"stored"}']);
    expect(response.headers).toMatchObject({ 'content-length': '18', 'cache-control': 'no-store' });
  }
  expect(heads).toHaveLength(3);
  expect(fetched).toStrictEqual([KEY_URL]);
});

it('confirms a form, and verifies the query as it was sent', async () => {
  const { callBack, bodyOf } = await setUp();
  expect((await callBack(bodyOf({ transfer: 'form' }), {}, `${PATH}?a=%2F&b=x+y`)).status).toBe(200);
});

it('logs and counts a callback in the name of the uploader, without id, signature or address', async () => {
  const { callBack, bodyOf, audits, completions, log } = await setUp();
  const body = bodyOf();
  await callBack(body);
  expect(audits()).toStrictEqual([
    [
      'callback stored',
      200,
      { operation: 'callback', outcome: 'stored', reasons: [], ...ALICE, ...OBJECT, contentLength: 5 },
    ],
  ]);
  expect(completions).toStrictEqual([{ outcome: 'stored', rule: 'own-files' }]);
  for (const secret of [JSON.parse(body).id, sign(body), base64(KEY_URL), KEY_URL])
    expect(log.join('')).not.toContain(secret);
});

const FOREIGN_KEY_URL = 'https://gosspublic.alicdn.com.attacker.example/key.pem';

it.each<[string, Record<string, string>]>([
  ['key_url', { 'x-oss-pub-key-url': base64(FOREIGN_KEY_URL) }],
  ['key_url', { 'x-oss-pub-key-url': '' }],
  ['signature', { authorization: sign('{"id":"other"}') }],
  ['signature', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
])('rejects a call that OSS has not signed, and logs why: %s', async (reason, headers) => {
  const { callBack, bodyOf, audits, completions, log, heads } = await setUp();
  const body = bodyOf();
  const response = await callBack(body, headers);
  expect([response.status, response.body]).toMatchObject([401, { code: 'unauthenticated' }]);
  expect(response.headers['www-authenticate']).toBeUndefined();
  expect(audits()).toStrictEqual([
    [
      'callback unauthenticated',
      401,
      { operation: 'callback', outcome: 'unauthenticated', reasons: [reason], ...ALICE, ...OBJECT },
    ],
  ]);
  expect(completions).toStrictEqual([{ outcome: 'unauthenticated', rule: 'own-files' }]);
  expect(heads).toStrictEqual([]);
  for (const secret of [JSON.parse(body).id, FOREIGN_KEY_URL, base64(FOREIGN_KEY_URL), 'eyJhbGci'])
    expect(log.join('')).not.toContain(secret);
});

describe('rejects with 403, before anything is fetched, an id', () => {
  it.each<[string, Parameters<Awaited<ReturnType<typeof setUp>>['idOf']>[0], Record<string, unknown>?]>([
    ['of a multipart upload', grantedMultipart(), { transfers: ['put', 'form', 'multipart'] }],
    ['of a rule that is gone', { rule: 'gone' }],
    ['of a rule without a callback', {}, { callback: false }],
    ['of a rule without its transfer', { transfer: 'form' }, { transfers: ['put'] }],
    ['of another target', { target: 'other' }],
    ['of another bucket', { bucket: 'other-bucket' }],
    ['of another region', { region: 'cn-shanghai' }],
    ['of a key outside the prefix', { key: 'other/photo.png' }],
    ['that has expired, too', { expiresAt: 2, rule: 'gone' }],
  ])('%s', async (_title, granted, rule) => {
    const { callBack, bodyOf, fetched, heads, completions } = await setUp({ rules: [callbackRule(rule)] });
    const response = await callBack(bodyOf(granted));
    expect([response.status, response.body]).toMatchObject([403, { code: 'upload_id_invalid' }]);
    expect([fetched, heads]).toStrictEqual([[], []]);
    expect(completions).toStrictEqual([{ outcome: 'invalid', rule: undefined }]);
  });

  it.each(['x', 'x.y', 'é', '\ud800', 'a'.repeat(3072), '{"id":1}'])('that no key sealed', async (id) => {
    const { callBack, fetched, audits } = await setUp();
    const response = await callBack(JSON.stringify({ id }));
    expect([response.status, response.body]).toMatchObject([403, { code: 'upload_id_invalid' }]);
    expect(fetched).toStrictEqual([]);
    expect(audits()).toStrictEqual([
      ['callback invalid', 403, { operation: 'callback', outcome: 'invalid', reasons: [] }],
    ]);
  });

  it('with another MAC', async () => {
    const { callBack, idOf } = await setUp();
    const response = await callBack(JSON.stringify({ id: `${idOf().slice(0, -5)}AAAAA` }));
    expect(response.status).toBe(403);
  });
});

it('rejects an id that has expired with 410', async () => {
  const { callBack, bodyOf, fetched } = await setUp();
  const response = await callBack(bodyOf({ expiresAt: now.getTime() / 1000 }));
  expect([response.status, response.body]).toMatchObject([410, { code: 'upload_id_expired' }]);
  expect(fetched).toStrictEqual([]);
});

it.each<[number, string, NonNullable<Options['head']>]>([
  [404, 'upload_absent', async () => undefined],
  [409, 'upload_mismatch', async () => storedObject({ contentLength: 4 })],
  [502, 'storage_error', () => Promise.reject(new StorageError('denied', 'no'))],
  [503, 'unavailable', () => Promise.reject(new StorageError('unreachable', 'down'))],
])('responds with %i %s as complete does', async (status, code, head) => {
  const { callBack, bodyOf } = await setUp({ head });
  const response = await callBack(bodyOf());
  expect([response.status, response.body.code]).toStrictEqual([status, code]);
});

it('counts the calls that OSS has signed as those of the uploader', async () => {
  const { callBack, bodyOf, call, idOf, heads } = await setUp({
    rules: [callbackRule({ limits: { requestsPerMinute: 1 } })],
  });
  for (let time = 0; time < 12; time += 1) await callBack(bodyOf(), { authorization: sign('x') });
  for (let time = 0; time < 10; time += 1) expect((await callBack(bodyOf())).status).toBe(200);
  const limited = await callBack(bodyOf());
  expect([limited.status, limited.body.code]).toStrictEqual([429, 'rate_limited']);
  expect((await call('complete', { id: idOf() })).status).toBe(429);
  const ofBob = bodyOf({ caller: { issuer: ALICE.issuer, subject: 'bob' } });
  expect((await callBack(ofBob)).status).toBe(200);
  expect(heads).toHaveLength(11);
});

describe('rejects with its own status', () => {
  it.each<[string, number, string]>([
    ['no body', 400, ''],
    ['half a document', 400, '{'],
    ['null', 400, 'null'],
    ['a list', 400, '[]'],
    ['a string', 400, '"x"'],
    ['no id', 400, '{}'],
    ['null as id', 400, '{"id":null}'],
    ['a number as id', 400, '{"id":1}'],
    ['a list as id', 400, '{"id":["x"]}'],
    ['an empty id', 400, '{"id":""}'],
    ['another member', 400, '{"id":"x","etag":"y"}'],
    ['a prototype', 400, '{"__proto__":{"id":"x"}}'],
    ['a constructor', 400, '{"id":"x","constructor":{"prototype":1}}'],
    ['an id that is too long', 400, `{"id":"${'a'.repeat(3073)}"}`],
    ['a body that is too long', 413, `{"id":"x"${' '.repeat(4096)}}`],
    ['deep nesting', 400, '['.repeat(4000)],
  ])('%s', async (_title, status, body) => {
    const { callBack, fetched } = await setUp();
    expect((await callBack(body)).status).toBe(status);
    expect(fetched).toStrictEqual([]);
  });

  it('bytes that are not UTF-8', async () => {
    const { http } = await setUp();
    const body = Buffer.from([0x7b, 0x22, 0x69, 0xff, 0x22, 0x7d]);
    const response = await http.post(PATH).set('content-type', 'application/json').send(body);
    expect(response.status).toBe(400);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-16'])(
    'the type %s',
    async (type) => {
      const { callBack, bodyOf } = await setUp();
      expect((await callBack(bodyOf(), { 'content-type': type })).status).toBe(415);
    },
  );

  it('a compressed body', async () => {
    const { callBack, bodyOf } = await setUp();
    expect((await callBack(bodyOf(), { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('another method', async () => {
    const { http } = await setUp();
    expect((await http.get(PATH)).status).toBe(405);
  });
});

it('responds with 503 if replicas do not share the keys of ids', async () => {
  const { callBack, bodyOf, fetched } = await setUp({ canContinueUploads: false });
  const response = await callBack(bodyOf());
  expect([response.status, response.body.code]).toStrictEqual([503, 'unavailable']);
  expect(fetched).toStrictEqual([]);
});

it('responds with 503 if the key cannot be fetched, and logs the host only', async () => {
  const { callBack, bodyOf, log, completions } = await setUp({
    fetchKey: async () => new Response('secret', { status: 500 }),
  });
  const response = await callBack(bodyOf());
  expect([response.status, response.body, response.headers['retry-after']]).toMatchObject([
    503,
    { code: 'unavailable' },
    '30',
  ]);
  expect(log.join('')).toContain('gosspublic.alicdn.com responded with status 500');
  expect(log.join('')).not.toMatch(/callback_pub_key|secret/);
  expect(completions).toStrictEqual([{ outcome: 'error', rule: 'own-files' }]);
});

it('waits for a hanging key until 4 s after the arrival, and then responds with 503', async () => {
  const { callBack, bodyOf, timeouts, heads } = await setUp({ fetchKey: () => new Promise(() => undefined) });
  const response = callBack(bodyOf()).then((sent) => sent);
  await expect.poll(() => timeouts.length).toBe(2);
  const [ofFetch, ofCall] = timeouts;
  expect(ofFetch?.ms).toBe(3000);
  expect(ofCall?.ms).toBeLessThanOrEqual(4000);
  expect(ofCall?.ms).toBeGreaterThan(3000);
  ofCall?.fire();
  expect((await response).status).toBe(503);
  expect(heads).toStrictEqual([]);
});

it('gives the storage until 4 s after the arrival', async () => {
  const deadlines: (Date | undefined)[] = [];
  const { callBack, bodyOf } = await setUp({
    head: async (_key, deadline) => {
      deadlines.push(deadline);
      throw new StorageError('unreachable', 'no response in time');
    },
  });
  expect((await callBack(bodyOf())).status).toBe(503);
  const withinMs = (deadlines[0]?.getTime() ?? 0) - now.getTime();
  expect(withinMs).toBeLessThanOrEqual(4000);
  expect(withinMs).toBeGreaterThan(3000);
});

describe('with strict audit', () => {
  it('confirms only after the audit line was written', async () => {
    const written = vi.fn(async () => false);
    const { callBack, bodyOf, completions } = await setUp({ auditGate: { isOpen: () => true, written } });
    expect((await callBack(bodyOf())).status).toBe(503);
    written.mockResolvedValue(true);
    expect((await callBack(bodyOf())).status).toBe(200);
    expect(completions).toHaveLength(1);
  });

  it('asks the storage for nothing while audit lines cannot be written', async () => {
    const { callBack, bodyOf, heads } = await setUp({
      auditGate: { isOpen: () => false, written: async () => false },
    });
    expect((await callBack(bodyOf())).status).toBe(503);
    expect(heads).toStrictEqual([]);
    expect((await callBack('{"id":"x"}')).status).toBe(403);
  });
});

it('closes the connection while the service is draining', async () => {
  const { callBack, bodyOf } = await setUp({ isDraining: () => true });
  const response = await callBack(bodyOf());
  expect([response.status, response.headers.connection]).toStrictEqual([200, 'close']);
});

it('speaks HTTP/1.0: with a length, not in chunks, and closes', async () => {
  const { app, bodyOf } = await setUp();
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const body = bodyOf();
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    [
      `POST ${PATH} HTTP/1.0`,
      'Host: presign.test',
      'Connection: close',
      `Content-Length: ${body.length}`,
      'Content-Type: application/json',
      'User-Agent: http-client/0.0.1',
      `authorization: ${sign(body)}`,
      `x-oss-pub-key-url: ${base64(KEY_URL)}`,
      '',
      body,
    ].join('\r\n'),
  );
  let received = '';
  for await (const chunk of socket) received += chunk;
  const [head = '', sent] = received.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.[01] 200 OK\r\n/);
  expect(head.toLowerCase()).toContain('\r\ncontent-length: 18');
  expect(head.toLowerCase()).toContain('\r\nconnection: close');
  expect(head.toLowerCase()).not.toContain('transfer-encoding');
  expect(sent).toBe('{"state":"stored"}');
});

describe('a rule with notify', () => {
  const rules = [callbackRule({ notify: { url: 'https://app.test/hooks', secretEnv: 'HOOK' } })];
  const env = { HOOK: hookSecret() };

  it('notifies its receiver with the receipt, within the time of the callback', async () => {
    const notify = vi.fn<Notifier['notify']>(async () => 'delivered');
    const { callBack, bodyOf } = await setUp({ rules, env, notifier: { notify } });
    expect((await callBack(bodyOf())).text).toBe('{"state":"stored"}');
    expect(notify).toHaveBeenCalledTimes(1);
    const [notification, deadline] = notify.mock.calls[0] ?? [];
    expect(notification).toMatchObject({ id: GRANT_ID, data: { caller: ALICE, state: 'stored' } });
    expect(notification?.data.receipt).toMatch(/^eyJ/);
    // The time that passes in the test is taken off.
    const leftMs = (deadline?.getTime() ?? 0) - now.getTime();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(4_000);
  });

  it('responds without the receipt if the receiver is not notified, so that OSS reports it to the client', async () => {
    const { callBack, bodyOf, audits, completions } = await setUp({
      ...{ rules, env },
      notifier: { notify: async () => 'failed' },
    });
    const response = await callBack(bodyOf());
    expect([response.status, response.body.code]).toStrictEqual([502, 'notification_failed']);
    expect(response.body).not.toHaveProperty('upload');
    expect(response.text).not.toMatch(/receipt|eyJ/);
    expect(audits()).toMatchObject([
      ['callback not_notified', 502, { ...ALICE, outcome: 'not_notified', reasons: ['failed'] }],
    ]);
    expect(completions).toStrictEqual([{ outcome: 'not_notified', rule: 'own-files' }]);
  });
});
