import { expect, it } from 'vitest';
import { readXml, startTestEmulator } from '../support/test-emulator.ts';

it.each([
  [undefined, 200, '0123456789', null],
  ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  // OSS sends the whole object if a range ends after it, unless the standard behaviour is requested.
  ['bytes=8-100', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
])('GET with the range %s responses %i', async (range, status, body, contentRange) => {
  const emulator = await startTestEmulator();
  await emulator.put('a', '0123456789');
  const response = await fetch(emulator.presign({ method: 'GET', key: 'a' }), {
    headers: range ? { range } : {},
  });
  expect([response.status, await response.text(), response.headers.get('content-range')]).toStrictEqual([
    status,
    body,
    contentRange,
  ]);
});

it('HEAD sends the headers of GET, and an error in x-oss-err', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const found = await fetch(emulator.presign({ method: 'HEAD', key: 'a' }), { method: 'HEAD' });
  expect([found.status, found.headers.get('content-length')]).toStrictEqual([200, '5']);
  const missing = await fetch(emulator.presign({ method: 'HEAD', key: 'b' }), { method: 'HEAD' });
  expect(missing.status).toBe(404);
  const xml = Buffer.from(missing.headers.get('x-oss-err') ?? '', 'base64').toString();
  expect(readXml(xml)).toMatchObject({ Code: 'NoSuchKey', Key: 'b', EC: '0026-00000001' });
});

it('a missing object is a 404, but 403 without a signature, and DELETE succeeds', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const missing = await fetch(emulator.presign({ method: 'GET', key: 'b' }));
  expect([missing.status, readXml(await missing.text()).Code]).toStrictEqual([404, 'NoSuchKey']);
  for (const key of ['a', 'b']) {
    const stranger = await fetch(`${emulator.url}/acme-media/${key}`);
    expect([stranger.status, readXml(await stranger.text()).Code]).toStrictEqual([403, 'AccessDenied']);
    const deleted = await fetch(emulator.presign({ method: 'DELETE', key }), { method: 'DELETE' });
    expect(deleted.status).toBe(204);
  }
  expect(emulator.files()).toStrictEqual([]);
});

it('a read stays complete while the object is replaced repeatedly', async () => {
  const emulator = await startTestEmulator();
  const bodyOf = (letter: string) => letter.repeat(50_000);
  await emulator.put('a', bodyOf('a'));
  const writes = Promise.all([...'bcdefgh'].map((letter) => emulator.put('a', bodyOf(letter))));
  const reads = await Promise.all(
    Array.from({ length: 30 }, async () =>
      (await fetch(emulator.presign({ method: 'GET', key: 'a' }))).text(),
    ),
  );
  await writes;
  for (const body of reads) expect(body).toBe(bodyOf(body.charAt(0)));
  expect(emulator.files()).toHaveLength(1);
});

it.each(['uploads', 'acl', 'tagging', 'uploadId=x&partNumber=1'])(
  '?%s, which is another operation, is not done',
  async (query) => {
    const emulator = await startTestEmulator();
    const parameters = Object.fromEntries(new URLSearchParams(query));
    const response = await fetch(emulator.presign({ query: parameters }), {
      method: 'PUT',
      body: Buffer.from('a'),
    });
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([501, 'NotImplemented']);
    expect(emulator.files()).toStrictEqual([]);
  },
);
