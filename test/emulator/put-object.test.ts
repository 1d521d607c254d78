import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { BUCKET, readXml, startTestEmulator, type TestEmulator } from '../support/test-emulator.ts';

/** Sends bytes as they are over a connection of their own, and gives back all that comes. */
async function sendRaw(emulator: TestEmulator, bytes: string): Promise<string> {
  const socket = connect(emulator.port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

const targetOf = (url: string) => url.slice(url.indexOf('/', 8));

it('responds with the checksums of the stored bytes', async () => {
  const emulator = await startTestEmulator();
  const response = await emulator.put('a.txt', '123456789');
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    etag: '"25F9E794323B453885F5181F1B624D0B"',
    'content-md5': 'JfnnlDI7RTiF9RgfG2JNCw==',
    'x-oss-hash-crc64ecma': '11051210869376104954',
    'x-oss-request-id': expect.stringMatching(/^[0-9A-F]{24}$/),
    server: 'AliyunOSS',
  });
  expect(emulator.events).toStrictEqual([
    { requestId: expect.any(String), method: 'PUT', bucket: BUCKET, key: 'a.txt', status: 200, bytes: 9 },
  ]);
});

it('serves the headers of the upload', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a.txt', 'hello', {
    headers: {
      'cache-control': 'no-cache',
      'content-disposition': 'attachment',
      'x-oss-meta-album': '42',
      'x-oss-storage-class': 'IA',
    },
  });
  const get = await fetch(emulator.presign({ method: 'GET' }));
  expect(await get.text()).toBe('hello');
  expect(Object.fromEntries(get.headers)).toMatchObject({
    'content-type': 'text/plain',
    'cache-control': 'no-cache',
    'content-disposition': 'attachment',
    'x-oss-meta-album': '42',
    'x-oss-storage-class': 'IA',
    'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
  });
});

it('stores and serves an empty file', async () => {
  const emulator = await startTestEmulator();
  expect((await emulator.put('empty', '')).status).toBe(200);
  const get = await fetch(emulator.presign({ method: 'GET', key: 'empty' }));
  expect([get.status, get.headers.get('content-length'), await get.text()]).toStrictEqual([200, '0', '']);
});

describe('rejects, and stores nothing', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['an MD5 of other bytes', { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }, 400, 'InvalidDigest'],
    ['an MD5 that is none', { 'content-md5': 'nope' }, 400, 'InvalidDigest'],
    ['an unknown ACL', { 'x-oss-object-acl': 'everybody' }, 400, 'InvalidArgument'],
    [
      'an unknown encryption',
      { 'x-oss-server-side-encryption': 'ROT13' },
      400,
      'InvalidEncryptionAlgorithmError',
    ],
    ['an unknown storage class', { 'x-oss-storage-class': 'Gold' }, 400, 'InvalidArgument'],
    ['an unknown forbid-overwrite', { 'x-oss-forbid-overwrite': 'yes' }, 400, 'InvalidArgument'],
    ['metadata over 8 KB', { 'x-oss-meta-a': 'x'.repeat(8192) }, 400, 'MetadataTooLarge'],
  ])('%s', async (_name, headers, status, code) => {
    const emulator = await startTestEmulator();
    const sent = { 'content-type': 'text/plain', ...headers };
    const response = await fetch(emulator.presign({ headers: sent }), {
      method: 'PUT',
      body: 'hello',
      headers: sent,
    });
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([status, code]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each(['If-None-Match', 'If-Match', 'If-Modified-Since'])('the condition %s', async (name) => {
    const emulator = await startTestEmulator();
    const response = await fetch(emulator.presign(), {
      method: 'PUT',
      body: Buffer.from('a'),
      headers: { [name]: '*' },
    });
    expect([response.status, readXml(await response.text())]).toMatchObject([
      400,
      { Code: 'NotImplemented', Header: name.toLowerCase() },
    ]);
  });

  it('a body without a length', async () => {
    const emulator = await startTestEmulator();
    const response = await sendRaw(
      emulator,
      `PUT ${targetOf(emulator.presign())} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 411 /);
    expect(readXml(response).Code).toBe('MissingContentLength');
  });

  it('more than 5 GB, before it reads the body', async () => {
    const emulator = await startTestEmulator();
    const response = await sendRaw(
      emulator,
      `PUT ${targetOf(emulator.presign())} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${5 * 1024 ** 3 + 1}\r\nConnection: close\r\n\r\n`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(readXml(response).Code).toBe('EntityTooLarge');
  });

  it('a client that waits for 100 Continue gets the error instead', async () => {
    const emulator = await startTestEmulator();
    const target = targetOf(emulator.presign()).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const response = await sendRaw(
      emulator,
      `PUT ${target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 403 /);
    expect(readXml(response).Code).toBe('SignatureDoesNotMatch');
  });

  it.each([
    ['empty', '', 400, 'InvalidObjectName'],
    ['of 1024 bytes', 'k'.repeat(1024), 400, 'InvalidObjectName'],
    ['that begins with a slash', '/a', 400, 'InvalidObjectName'],
    ['that begins with a backslash', '\\a', 400, 'InvalidObjectName'],
  ])('a key %s', async (_name, key, status, code) => {
    const emulator = await startTestEmulator();
    const response = await sendRaw(
      emulator,
      `PUT ${targetOf(emulator.presign({ key }))} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect([Number(response.split(' ')[1]), readXml(response).Code]).toStrictEqual([status, code] as const);
    expect(emulator.files()).toStrictEqual([]);
  });
});

describe('overwriting', () => {
  const FORBID = { headers: { 'x-oss-forbid-overwrite': 'true' } };

  it('happens unless it is forbidden', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a', 'one');
    expect((await emulator.put('a', 'two')).status).toBe(200);
    const rejected = await emulator.put('a', 'three', FORBID);
    expect([rejected.status, readXml(await rejected.text())]).toMatchObject([
      409,
      { Code: 'FileAlreadyExists', EC: '0026-00000002' },
    ]);
    expect(await (await fetch(emulator.presign({ method: 'GET', key: 'a' }))).text()).toBe('two');
    expect(emulator.files()).toHaveLength(1);
  });

  it('exactly one of twenty simultaneous uploads that forbid it succeeds', async () => {
    const emulator = await startTestEmulator();
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => emulator.put('a', `body ${index}`, FORBID)),
    );
    const winners = responses.flatMap(({ status }, index) => (status === 200 ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(await (await fetch(emulator.presign({ method: 'GET', key: 'a' }))).text()).toBe(
      `body ${winners[0]}`,
    );
    expect(emulator.files()).toHaveLength(1);
  });
});

it('an aborted upload leaves nothing, and keeps the previous object', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'before');
  const broken = request(emulator.presign({ key: 'a' }), {
    method: 'PUT',
    headers: { 'content-length': 1_000_000 },
  });
  broken.on('error', () => undefined);
  broken.write(Buffer.alloc(100_000));
  await vi.waitFor(() => expect(emulator.files()).toHaveLength(2));
  broken.destroy();
  await vi.waitFor(() => expect(emulator.events.at(-1)?.status).toBe(499));
  expect(emulator.files()).toHaveLength(1);
  expect(await (await fetch(emulator.presign({ method: 'GET', key: 'a' }))).text()).toBe('before');
});

it('accepts chunked bodies if the length is not signed', async () => {
  const emulator = await startTestEmulator();
  const put = request(emulator.presign(), { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } });
  put.write('hel');
  put.end('lo');
  const [response] = await once(put, 'response');
  expect(response.resume().statusCode).toBe(200);
  expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('hello');
});
