import OSS from 'ali-oss';
import { expect, it } from 'vitest';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import {
  BUCKET,
  LONG_LIVED,
  REGION,
  startTestEmulator,
  TEMPORARY,
  type TestEmulator,
} from '../support/test-emulator.ts';

// The official SDK reads the machine's clock, so here the emulator does too.
const clock = () => new Date();

function clientOf(
  emulator: TestEmulator,
  credentials: Partial<typeof TEMPORARY> = LONG_LIVED,
  options: Partial<OSS.Options> = {},
): OSS {
  const { accessKeyId = '', accessKeySecret = '', securityToken } = credentials;
  return new OSS({
    accessKeyId,
    accessKeySecret,
    // With a way to refresh it, the client does not warn of a token without one.
    ...(securityToken && {
      stsToken: securityToken,
      refreshSTSToken: async () => ({}) as never,
      refreshSTSTokenInterval: 1e9,
    }),
    bucket: BUCKET,
    region: `oss-${REGION}`,
    endpoint: emulator.url,
    authorizationV4: true,
    ...options,
  } as OSS.Options);
}

it.each([
  ['long-lived', LONG_LIVED],
  ['temporary', TEMPORARY],
])('the official client puts, heads, gets and deletes with %s credentials', async (_name, credentials) => {
  const emulator = await startTestEmulator({ clock });
  const client = clientOf(emulator, credentials);
  const key = 'dir/报告 1+1=2 (final) 100%.txt';
  const body = Buffer.from('hello from the typescript sdk 世界');

  const put = await client.put(key, body, {
    mime: 'text/plain',
    meta: { album: '42' } as unknown as OSS.UserMeta,
    headers: { 'Cache-Control': 'no-cache' },
  });
  const head = await client.head(key);
  const get = await client.get(key);
  expect((put.res.headers as Record<string, string>)['x-oss-hash-crc64ecma']).toBe('2861621986004973752');
  expect(head.meta).toStrictEqual({ album: '42' });
  expect(get.content).toStrictEqual(body);
  expect(get.res.headers).toMatchObject({ 'content-type': 'text/plain', 'cache-control': 'no-cache' });

  await client.delete(key);
  await expect(client.head(key)).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' });
});

it.each([
  ['by IP address, with the bucket in the Host header', 'http://127.0.0.1', {}],
  ['by IP address, with the bucket in the path too', 'http://127.0.0.1', { sldEnable: true }],
  ['by name, in path style', 'http://localhost', { sldEnable: true }],
])('the official client reaches the bucket %s', async (_name, origin, options) => {
  const emulator = await startTestEmulator({ clock });
  const client = clientOf(emulator, LONG_LIVED, {
    endpoint: `${origin}:${emulator.port}`,
    ...options,
  } as OSS.Options);
  for (const key of ['a b.txt', `${BUCKET}/nested.txt`]) {
    await client.put(key, Buffer.from(key));
    expect((await client.get(key)).content.toString()).toBe(key);
  }
});

it('the official client lists objects, looks for one, and replaces headers of a download', async () => {
  const emulator = await startTestEmulator({ clock });
  const client = clientOf(emulator) as OSS & {
    getObjectMeta(key: string): Promise<{ res: { headers: Record<string, string> } }>;
  };
  await Promise.all(['a b.txt', 'dir/1', 'dir/2'].map((key) => client.put(key, Buffer.from(key))));

  const { objects = [], keyCount } = await client.listV2({ 'max-keys': '1000' }, {});
  expect([objects.map(({ name }) => name), keyCount]).toStrictEqual([['a b.txt', 'dir/1', 'dir/2'], 3]);
  const folder = await client.list({ delimiter: '/', 'max-keys': 1000 }, {});
  expect([folder.objects?.map(({ name }) => name), folder.prefixes]).toStrictEqual([['a b.txt'], ['dir/']]);

  const { res } = await client.getObjectMeta('a b.txt');
  expect(res.headers).toMatchObject({ 'content-length': '7', etag: objects[0]?.etag });
  await expect(client.getObjectMeta('other')).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' });

  const subres = { 'response-content-disposition': 'attachment; filename="a.txt"' };
  const download = await client.get('a b.txt', { subres } as OSS.GetObjectOptions);
  expect(download.res.headers).toMatchObject({ 'content-disposition': 'attachment; filename="a.txt"' });
  const typed = { subres: { 'response-content-type': 'text/html' } } as OSS.GetObjectOptions;
  await expect(client.get('a b.txt', typed)).rejects.toMatchObject({ status: 400, code: 'InvalidRequest' });
});

it('the official client uploads to a URL that we presigned', async () => {
  const emulator = await startTestEmulator({ clock });
  const bucket = prepareBucket({
    bucket: BUCKET,
    region: REGION,
    endpoint: { url: emulator.url, addressing: 'path' },
  });
  const upload = {
    key: 'from us.txt',
    contentType: 'text/plain',
    metadata: { album: '42' },
    contentLength: 5,
    overwrite: false,
  };
  const signing = { credentials: LONG_LIVED, signedAt: clock(), expiresInSeconds: 60 };
  const { url, headers } = bucket.prepareUploads({ 'Cache-Control': 'no-cache' }).presign(upload, signing);
  const client = clientOf(emulator) as OSS & {
    urllib: { request(url: string, options: object): Promise<{ status: number }> };
  };
  const sent = await client.urllib.request(url, { method: 'PUT', headers, content: Buffer.from('hello') });
  expect(sent.status).toBe(200);
  expect((await client.get('from us.txt')).content.toString()).toBe('hello');
});

it('a URL that the official client presigned is accepted', async () => {
  const emulator = await startTestEmulator({ clock });
  // With an IP address as endpoint this client leaves the bucket out of the URLs that it presigns, unless an option is set.
  const options = { endpoint: `http://localhost:${emulator.port}`, sldEnable: true } as Partial<OSS.Options>;
  const url = await clientOf(emulator, LONG_LIVED, options).signatureUrlV4(
    'PUT',
    60,
    { headers: { 'content-type': 'text/plain', 'content-length': 5 } },
    'from them.txt',
    ['content-length'],
  );
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
  });
  expect(response.status).toBe(200);
});

it.each([
  ['a wrong secret', { ...LONG_LIVED, accessKeySecret: 'wrong' }, 403, 'SignatureDoesNotMatch'],
  ['an unknown key id', { ...LONG_LIVED, accessKeyId: 'unknown' }, 403, 'InvalidAccessKeyId'],
  ['a wrong token', { ...TEMPORARY, securityToken: 'wrong' }, 403, 'InvalidSecurityToken'],
  [
    'a temporary id without its token',
    { accessKeyId: TEMPORARY.accessKeyId, accessKeySecret: TEMPORARY.accessKeySecret },
    403,
    'InvalidSecurityToken',
  ],
])('the official client hears the right error for %s', async (_name, credentials, status, code) => {
  const emulator = await startTestEmulator({ clock });
  const put = clientOf(emulator, credentials).put('a.txt', Buffer.from('a'));
  await expect(put).rejects.toMatchObject({ status, code });
});

it('the official client gets the error for a wrong clock', async () => {
  const emulator = await startTestEmulator({ clock: () => new Date(Date.now() + 16 * 60_000) });
  const put = clientOf(emulator).put('a.txt', Buffer.from('a'));
  await expect(put).rejects.toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
});
