import { createVerify } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { postForm, signForm } from '../support/post-form.ts';
import { BUCKET, readXml, startTestEmulator } from '../support/test-emulator.ts';

/** A server that records each request as it came, and responds with these bytes. */
async function startReceiver(response: string) {
  const requests: string[] = [];
  const server = createServer((socket: Socket) => {
    let received = '';
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received += chunk.toString();
        const [head = '', body] = received.split('\r\n\r\n');
        const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
        if (body === undefined || Buffer.byteLength(body) < length) return;
        requests.push(received);
        socket.end(response);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { requests, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/oss/call%20back?t=a%2Fb` };
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"Status":"OK"}';

const PLACES = ['header', 'query', 'form'] as const;

async function upload(place: (typeof PLACES)[number], response: string, allowPrivateAddresses = true) {
  const receiver = await startReceiver(response);
  const emulator = await startTestEmulator({ callbacks: { allowPrivateAddresses } });
  const callback = base64({
    callbackUrl: receiver.url,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of OSS
    callbackBody: '{"b":${bucket},"k":${object},"n":${size},"u":${x:uid},"none":${x:none}}',
    callbackBodyType: 'application/json',
  });
  const variables = base64({ 'x:uid': 'ä"' });
  const headers = { 'content-type': 'text/plain' };
  const send = () => {
    if (place === 'form') {
      const fields = { ...signForm(), key: 'a.txt', callback, 'x:uid': 'ä"' };
      return postForm({ url: `${emulator.url}/${BUCKET}`, fields, fileField: 'file' }, { body: 'hello' });
    }
    return place === 'header'
      ? emulator.put('a.txt', 'hello', {
          headers: { ...headers, 'x-oss-callback': callback, 'x-oss-callback-var': variables },
        })
      : emulator.put('a.txt', 'hello', { query: { callback, 'callback-var': variables } });
  };
  return { emulator, receiver, response: await send() };
}

it.each(PLACES)('calls back for a callback in the %s, and responds with the response', async (place) => {
  const { emulator, receiver, response } = await upload(place, OK);
  expect([response.status, response.headers.get('content-type'), await response.text()]).toStrictEqual([
    200,
    'application/json',
    '{"Status":"OK"}',
  ]);
  expect(response.headers.get('etag')).toMatch(/^"[0-9A-F]{32}"$/);
  expect(receiver.requests).toHaveLength(1);
  const [head = '', body = ''] = receiver.requests[0]?.split('\r\n\r\n') ?? [];
  expect(body).toBe(`{"b":"${BUCKET}","k":"a.txt","n":5,"u":"ä\\"","none":""}`);
  const lines = head.split('\r\n');
  const authorization = lines[6]?.replace('authorization: ', '') ?? '';
  const keyUrl = Buffer.from('https://gosspublic.alicdn.com/callback_pub_key_v1.pem').toString('base64');
  expect(lines).toStrictEqual([
    'POST /oss/call%20back?t=a%2Fb HTTP/1.0',
    `Host: ${receiver.host}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Content-Type: application/json',
    'User-Agent: http-client/0.0.1',
    `authorization: ${authorization}`,
    `x-oss-pub-key-url: ${keyUrl}`,
  ]);
  const verify = createVerify('RSA-MD5').update(`/oss/call back?t=a%2Fb\n${body}`);
  expect(verify.verify(emulator.callbackPublicKey, authorization, 'base64')).toBe(true);
});

it.each(PLACES)('responds with 203 if the callback in the %s fails, and keeps the object', async (place) => {
  const { emulator, response } = await upload(place, 'HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n');
  expect([response.status, readXml(await response.text())]).toMatchObject([
    203,
    { Code: 'CallbackFailed', EC: '0007-00000203', Message: 'Error status : 301.' },
  ]);
  expect(response.headers.get('etag')).toMatch(/^"[0-9A-F]{32}"$/);
  expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('hello');
});

it.each(PLACES)(
  'rejects a private address in the %s unless it is allowed, and stores nothing',
  async (place) => {
    const { emulator, receiver, response } = await upload(place, OK, false);
    expect([response.status, readXml(await response.text())]).toMatchObject([
      400,
      { Code: 'InvalidArgument', EC: '0007-00000008', ArgumentName: 'callbackUrl' },
    ]);
    expect([emulator.files(), receiver.requests]).toStrictEqual([[], []]);
  },
);
