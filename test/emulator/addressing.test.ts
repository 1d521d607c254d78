import { request } from 'node:http';
import { expect, it } from 'vitest';
import { BUCKET, readXml, startTestEmulator, type TestEmulator } from '../support/test-emulator.ts';

/** Sends a signed URL to the emulator, whatever host it names, with its path as it stands. */
function send(
  emulator: TestEmulator,
  url: string,
  method = 'PUT',
): Promise<{ status: number; text: string }> {
  const [, host = '', path = ''] = /^https?:\/\/([^/]+)(.*)$/s.exec(url) ?? [];
  return new Promise((resolve, reject) => {
    const options = {
      port: emulator.port,
      host: '127.0.0.1',
      path,
      method,
      headers: { host, 'content-length': 0 },
      agent: false as const,
    };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('error', reject).end();
  });
}

it.each([
  ['path style', { url: 'http://127.0.0.1:9000', addressing: 'path' }],
  ['path style by name', { url: 'http://oss.local.test:9000', addressing: 'path' }],
  ['virtual-hosted', { url: 'http://oss-cn-hangzhou.aliyuncs.com', addressing: 'virtual' }],
  ['a custom domain', { url: 'https://upload.example.com', addressing: 'cname' }],
  ['the public address', 'public'],
  ['the internal address', 'internal'],
  ['the accelerated address', 'accelerate'],
  ['the overseas address', 'accelerate-overseas'],
  ['the dual-stack address', 'dualstack'],
] as const)('a bucket is found by %s', async (_name, endpoint) => {
  const emulator = await startTestEmulator();
  const { status, text } = await send(emulator, emulator.presign({ endpoint, key: 'dir/a b.txt' }));
  expect(status, text).toBe(200);
  expect(emulator.events).toMatchObject([{ bucket: BUCKET, key: 'dir/a b.txt' }]);
});

it.each(['a/../b', './a', 'a//b', 'a/', '%2e%2e/a', 'a%2Fb', '..', 'a?b#c', '+', "!*'()"])(
  'the key %j is kept as it is',
  async (key) => {
    const emulator = await startTestEmulator();
    expect((await send(emulator, emulator.presign({ key }))).status).toBe(200);
    expect(emulator.events).toMatchObject([{ key, status: 200 }]);
  },
);

it('a path whose slashes are escaped means the same key', async () => {
  const emulator = await startTestEmulator();
  const url = emulator.presign({ key: 'dir/a.txt' }).replace('/dir/a.txt', '/dir%2Fa.txt');
  expect((await send(emulator, url)).status).toBe(200);
  expect(emulator.events).toMatchObject([{ key: 'dir/a.txt' }]);
});

it.each([
  ['a bucket that is not there', '/nobodys-bucket/a', 404, 'NoSuchBucket'],
  ['broken percent-encoding', `/${BUCKET}/%zz`, 400, 'InvalidURI'],
  ['a key that is not UTF-8', `/${BUCKET}/%ff`, 400, 'InvalidObjectName'],
])('%s is rejected', async (_name, path, status, code) => {
  const emulator = await startTestEmulator();
  const response = await send(emulator, `http://127.0.0.1${path}`);
  expect([response.status, readXml(response.text).Code]).toStrictEqual([status, code]);
});
