import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { MIN_PART_BYTES, multipartCalls } from '../support/multipart-upload.ts';
import {
  BUCKET,
  LONG_LIVED,
  REGION,
  readXml,
  startTestEmulator,
  type TestEmulator,
} from '../support/test-emulator.ts';

const KEY = 'a.bin';

async function start() {
  const emulator = await startTestEmulator();
  return { emulator, ...multipartCalls(emulator, KEY) };
}

/** Begins to send a part, and resolves once the emulator has some of its bytes. */
async function beginPart(emulator: TestEmulator, uploadId: string, body: Buffer) {
  const url = emulator.presign({ key: KEY, query: { partNumber: '1', uploadId } });
  const before = emulator.files().length;
  const sent = request(url, { method: 'PUT', headers: { 'content-length': body.length } });
  sent.on('error', () => undefined);
  sent.write(body.subarray(0, body.length / 2));
  await vi.waitFor(() => expect(emulator.files()).toHaveLength(before + 1));
  return { sent, end: () => endPart(sent, body) };
}

async function endPart(sent: ClientRequest, body: Buffer): Promise<readonly [number, string | undefined]> {
  sent.end(body.subarray(body.length / 2));
  const [response] = await once(sent, 'response');
  return [response.statusCode, readXml(await text(response)).Code];
}

it('a part that arrives after an abort is rejected, and leaves nothing', async () => {
  const { emulator, initiate, abort } = await start();
  const uploadId = await initiate();
  const part = await beginPart(emulator, uploadId, randomBytes(100_000));
  expect((await abort(uploadId)).status).toBe(204);
  expect(await part.end()).toStrictEqual([404, 'NoSuchUpload']);
  await vi.waitFor(() => expect(emulator.files()).toStrictEqual([]));
});

it('a part that arrives after the upload was completed is rejected, and changes nothing', async () => {
  const { emulator, initiate, putParts, complete, read } = await start();
  const uploadId = await initiate();
  const list = await putParts(uploadId, [Buffer.from('first')]);
  const part = await beginPart(emulator, uploadId, randomBytes(100_000));
  expect((await complete(uploadId, list)).status).toBe(200);
  expect(await part.end()).toStrictEqual([404, 'NoSuchUpload']);
  expect(String(await read())).toBe('first');
  await vi.waitFor(() => expect(emulator.files()).toHaveLength(2));
});

it('a part that is cut off leaves the earlier part', async () => {
  const { emulator, initiate, putParts, complete, read } = await start();
  const uploadId = await initiate();
  const list = await putParts(uploadId, [Buffer.from('first')]);
  const part = await beginPart(emulator, uploadId, randomBytes(100_000));
  part.sent.destroy();
  await vi.waitFor(() => expect(emulator.files()).toHaveLength(1));
  expect((await complete(uploadId, list)).status).toBe(200);
  expect(String(await read())).toBe('first');
});

it('of many calls that complete an upload at once, one succeeds', async () => {
  const { emulator, initiate, putParts, complete, completeAll, abort, read } = await start();
  const uploadId = await initiate();
  const parts = [randomBytes(MIN_PART_BYTES), randomBytes(5)];
  const list = await putParts(uploadId, parts);
  const responses = await Promise.all(
    Array.from({ length: 12 }, (_, index) => (index % 2 ? completeAll(uploadId) : complete(uploadId, list))),
  );
  expect(responses.map(({ status }) => status).toSorted()).toStrictEqual([200, ...Array(11).fill(404)]);
  expect((await abort(uploadId)).status).toBe(404);
  expect((await read()).equals(Buffer.concat(parts))).toBe(true);
  expect(emulator.files()).toHaveLength(3);
});

it('of calls that complete and abort an upload at once, one succeeds', async () => {
  const { emulator, initiate, putParts, complete, abort, head } = await start();
  for (let round = 0; round < 5; round++) {
    await fetch(emulator.presign({ method: 'DELETE', key: KEY }), { method: 'DELETE' });
    const uploadId = await initiate();
    const list = await putParts(uploadId, [Buffer.from('a')]);
    const calls = [complete(uploadId, list), abort(uploadId), abort(uploadId)];
    const [completed, ...aborted] = (await Promise.all(calls)).map(({ status }) => status);
    const isStored = (await head()).status === 200;
    expect([completed, aborted.toSorted()]).toStrictEqual(isStored ? [200, [404, 404]] : [404, [204, 404]]);
    expect(emulator.files()).toHaveLength(isStored ? 2 : 0);
  }
});

it('replacing the same part repeatedly at once leaves one, which is one of those sent', async () => {
  const { emulator, initiate, putPart, completeAll, read } = await start();
  const uploadId = await initiate();
  const bodies = Array.from({ length: 10 }, (_, index) => Buffer.alloc(1000, index));
  const [completed, ...stored] = await Promise.all([
    putPart(uploadId, 1, Buffer.alloc(1000, 99)).then(() => completeAll(uploadId)),
    ...bodies.map((body) => putPart(uploadId, 1, body)),
  ]);
  expect(completed?.status).toBe(200);
  for (const { status } of stored) expect([200, 404]).toContain(status);
  const object = await read();
  expect(object).toStrictEqual(Buffer.alloc(1000, object[0]));
  await vi.waitFor(() => expect(emulator.files()).toHaveLength(2));
});

it('uploads to one key at once replace each other, and only the bytes of the last stay', async () => {
  const { emulator, initiate, putParts, complete, read } = await start();
  const bodies = Array.from({ length: 6 }, (_, index) => Buffer.alloc(MIN_PART_BYTES, index));
  await Promise.all(
    bodies.map(async (body, index) => {
      if (index % 3 === 0) return emulator.put(KEY, 'put');
      const uploadId = await initiate();
      const list = await putParts(uploadId, [body, Buffer.from([index])]);
      return complete(uploadId, list);
    }),
  );
  const object = await read();
  const isPut = String(object) === 'put';
  if (!isPut) {
    const index = object.at(-1) ?? -1;
    expect(object.equals(Buffer.concat([bodies[index] ?? Buffer.of(), Buffer.of(index)]))).toBe(true);
  }
  expect(emulator.files()).toHaveLength(isPut ? 1 : 3);
});

it.each(['deleted', 'replaced by an upload', 'replaced by parts'])(
  'an object of parts that is %s frees its disk',
  async (change) => {
    const { emulator, initiate, putParts, complete, read } = await start();
    const upload = async (body: string) => {
      const uploadId = await initiate();
      await complete(uploadId, await putParts(uploadId, [Buffer.alloc(MIN_PART_BYTES), Buffer.from(body)]));
    };
    await upload('before');
    expect(emulator.files()).toHaveLength(3);
    if (change === 'deleted') {
      await fetch(emulator.presign({ method: 'DELETE', key: KEY }), { method: 'DELETE' });
      expect(emulator.files()).toStrictEqual([]);
    } else if (change === 'replaced by an upload') {
      await emulator.put(KEY, 'after');
      expect(emulator.files()).toHaveLength(1);
      expect(String(await read())).toBe('after');
    } else {
      await upload('after');
      expect(emulator.files()).toHaveLength(3);
      expect(String((await read()).subarray(MIN_PART_BYTES))).toBe('after');
    }
  },
);

it('a read stays complete while the object is deleted, and then frees the disk', async () => {
  const { emulator, initiate, putParts, complete } = await start();
  const parts = Array.from({ length: 40 }, (_, index) => Buffer.alloc(256 * 1024, index));
  const uploadId = await initiate();
  await complete(uploadId, await putParts(uploadId, parts));
  const url = emulator.presign({ method: 'GET', key: KEY });
  const [first, second] = await Promise.all([fetch(url), fetch(url)]);
  await fetch(emulator.presign({ method: 'DELETE', key: KEY }), { method: 'DELETE' });
  expect((await fetch(url)).status).toBe(404);
  expect(emulator.files()).toHaveLength(40);
  const crc = createCrc64();
  for await (const chunk of first.body ?? []) crc.update(chunk);
  expect(crc.digest()).toBe(first.headers.get('x-oss-hash-crc64ecma'));
  // A client that leaves before the end.
  await second.body?.cancel();
  await vi.waitFor(() => expect(emulator.files()).toStrictEqual([]));
});

it('a symbolic link to an object of parts has its bytes', async () => {
  const { emulator, initiate, putParts, complete } = await start();
  const uploadId = await initiate();
  const list = await putParts(uploadId, [Buffer.alloc(MIN_PART_BYTES, 1), Buffer.from('end')]);
  const completed = await complete(uploadId, list);
  const headers = { 'x-oss-symlink-target': KEY };
  await fetch(emulator.presign({ key: 'link', headers, query: { symlink: '' } }), { method: 'PUT', headers });
  const link = await fetch(emulator.presign({ method: 'GET', key: 'link' }), {
    headers: { range: 'bytes=102399-' },
  });
  expect(await link.text()).toBe('\u0001end');
  expect(Object.fromEntries(link.headers)).toMatchObject({
    etag: completed.headers.get('etag'),
    'x-oss-object-type': 'Symlink',
  });
  expect(link.headers.get('content-md5')).toBeNull();
});

/** Starts emulators in one folder, one after the other. */
function useFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'oss-emulator-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const options: EmulatorOptions = {
    directory,
    buckets: { [BUCKET]: { region: REGION } },
    credentials: [LONG_LIVED],
    clock: fixedClock,
  };
  const files = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return { options, files };
}

it('close removes the uploads under way, and keeps the objects for the next start', async () => {
  const { options, files } = useFolder();
  const test = await startTestEmulator();
  const begin = async () => {
    const emulator = await startEmulator(options);
    const endpoint = { url: emulator.url, addressing: 'path' } as const;
    return {
      emulator,
      ...multipartCalls({ ...test, presign: (change) => test.presign({ endpoint, ...change }) }, KEY),
    };
  };
  const first = await begin();
  const completed = await first.initiate();
  await first.complete(completed, await first.putParts(completed, [Buffer.from('kept')]));
  const unfinished = await first.initiate({ key: 'other' });
  await first.call('PUT', { partNumber: '1', uploadId: unfinished }, { key: 'other', body: 'lost' });
  expect(files()).toHaveLength(3);
  await first.emulator.close();
  expect(files()).toHaveLength(2);

  const second = await begin();
  expect(files()).toHaveLength(2);
  expect(String(await second.read())).toBe('kept');
  expect((await second.call('GET', { uploadId: unfinished }, { key: 'other' })).status).toBe(404);
  await fetch(
    test.presign({ endpoint: { url: second.emulator.url, addressing: 'path' }, method: 'DELETE', key: KEY }),
    {
      method: 'DELETE',
    },
  );
  expect(files()).toStrictEqual([]);
  await second.emulator.close();
});

it('the next start removes the parts that a crash left', async () => {
  const { options, files } = useFolder();
  const folder = join(
    options.directory,
    '.parts',
    BUCKET,
    `${'0'.repeat(64)}-0004B9894A22E5B1888A1E29F8236E2D`,
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'part'), 'left');
  const emulator = await startEmulator(options);
  expect([files(), existsSync(folder)]).toStrictEqual([[], false]);
  await emulator.close();
});
