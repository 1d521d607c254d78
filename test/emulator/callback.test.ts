// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of OSS
import { createVerify } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CALLBACK_OK, startCallbackReceiver } from '../support/callback-receiver.ts';
import {
  base64Json,
  CALLBACK_PLACES,
  type CallbackPlace,
  uploadWithCallback,
} from '../support/callback-uploads.ts';
import { completeList, faultOf, multipartCalls } from '../support/multipart-upload.ts';
import { BUCKET, REGION, readXml, startTestEmulator } from '../support/test-emulator.ts';

/** The ETag of an object that was uploaded at once, or in one part. */
const ETAG = /^"[0-9A-F]{32}(?:-1)?"$/;

async function upload(place: CallbackPlace, response: string | null = CALLBACK_OK) {
  const receiver = await startCallbackReceiver(response);
  const emulator = await startTestEmulator({
    buckets: { [BUCKET]: { region: REGION, isVersioned: true } },
    callbacks: { allowPrivateAddresses: true },
  });
  const callback = base64Json({
    callbackUrl: `${receiver.origin}/oss/call%20back?t=a%2Fb`,
    callbackBody: '{"b":${bucket},"k":${object},"n":${size},"u":${x:uid},"none":${x:none}}',
    callbackBodyType: 'application/json',
  });
  const result = uploadWithCallback(emulator, place, { callback, variables: { 'x:uid': 'ä"' } });
  return { emulator, receiver, result };
}

it.each(CALLBACK_PLACES)(
  'calls back for a callback in %s, and passes the JSON on to the client',
  async (place) => {
    const { emulator, receiver, result } = await upload(place);
    const response = await result;
    expect([response.status, await response.text()]).toStrictEqual([200, '{"Status":"OK"}']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'content-length': '15',
      etag: expect.stringMatching(ETAG),
      'x-oss-hash-crc64ecma': expect.stringMatching(/^\d+$/),
      'x-oss-version-id': expect.any(String),
    });
    expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('hello');

    expect(receiver.requests).toHaveLength(1);
    const { line, headers, body } = await receiver.received;
    expect(body).toBe(`{"b":"${BUCKET}","k":"a.txt","n":5,"u":"ä\\"","none":""}`);
    const authorization = headers[5]?.replace('authorization: ', '') ?? '';
    const keyUrl = Buffer.from('https://gosspublic.alicdn.com/callback_pub_key_v1.pem').toString('base64');
    expect([line, ...headers]).toStrictEqual([
      'POST /oss/call%20back?t=a%2Fb HTTP/1.0',
      `Host: ${new URL(receiver.origin).host}`,
      'Connection: close',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Content-Type: application/json',
      'User-Agent: http-client/0.0.1',
      `authorization: ${authorization}`,
      `x-oss-pub-key-url: ${keyUrl}`,
    ]);
    const verify = createVerify('RSA-MD5').update(`/oss/call back?t=a%2Fb\n${body}`);
    expect(verify.verify(emulator.callbackPublicKey, authorization, 'base64')).toBe(true);
  },
);

it.each(CALLBACK_PLACES)(
  'responds with 203 if the callback in %s fails, and keeps the object',
  async (place) => {
    const { emulator, result } = await upload(place, 'HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n');
    const response = await result;
    expect([response.status, readXml(await response.text())]).toMatchObject([
      203,
      { Code: 'CallbackFailed', EC: '0007-00000203', Message: 'Error status : 301.' },
    ]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/xml',
      'x-oss-ec': '0007-00000203',
      etag: expect.stringMatching(ETAG),
      'x-oss-hash-crc64ecma': expect.stringMatching(/^\d+$/),
      'x-oss-version-id': expect.any(String),
    });
    expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('hello');
    expect(emulator.events).toContainEqual(
      expect.objectContaining({ status: 203, code: 'CallbackFailed', ec: '0007-00000203' }),
    );
  },
);

it.each(CALLBACK_PLACES)('rejects a faulty callback in %s, and stores nothing', async (place) => {
  const receiver = await startCallbackReceiver();
  const emulator = await startTestEmulator();
  const callback = { callbackUrl: receiver.origin, callbackBody: 'a=b' };
  for (const [sent, fault] of [
    ['*', '0007-00000002'],
    [base64Json([]), undefined],
    [base64Json({ ...callback, callbackUrl: '' }), '0007-00000004'],
    // The address of the receiver, which this emulator does not allow.
    [base64Json(callback), '0007-00000008'],
  ] as const) {
    const response = await uploadWithCallback(emulator, place, { callback: sent });
    expect(await faultOf(response)).toStrictEqual([400, 'InvalidArgument', fault]);
    expect((await fetch(emulator.presign({ method: 'HEAD' }), { method: 'HEAD' })).status).toBe(404);
  }
  expect(receiver.requests).toStrictEqual([]);
});

it('completes a multipart upload whose callback was rejected', async () => {
  const emulator = await startTestEmulator();
  const { initiate, putParts, complete, read } = multipartCalls(emulator, 'a.txt');
  const uploadId = await initiate();
  const list = await putParts(uploadId, [Buffer.from('hello')]);
  expect((await complete(uploadId, list, { headers: { 'x-oss-callback': '*' } })).status).toBe(400);
  expect((await complete(uploadId, list)).status).toBe(200);
  expect((await read()).toString()).toBe('hello');
});

it('does not call back if nothing is stored', async () => {
  const receiver = await startCallbackReceiver();
  const emulator = await startTestEmulator({ callbacks: { allowPrivateAddresses: true } });
  const callback = base64Json({ callbackUrl: receiver.origin, callbackBody: 'a=b' });
  const headers = { 'x-oss-callback': callback };
  const { initiate, complete } = multipartCalls(emulator, 'a.txt');
  const list = completeList([[1, '"5D41402ABC4B2A76B9719D911017C592"']]);
  const responses = [
    await emulator.put('a.txt', 'hello', {
      headers: { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==', ...headers },
    }),
    await complete(await initiate(), list, { headers }),
  ];
  expect(responses.map(({ status }) => status)).toStrictEqual([400, 400]);
  expect(receiver.requests).toStrictEqual([]);
});

it.each([
  ['InitiateMultipartUpload', 'POST', { uploads: '' }],
  ['UploadPart', 'PUT', { partNumber: '1', uploadId: 'A' }],
  ['PutSymlink', 'PUT', { symlink: '' }],
  ['DeleteObject', 'DELETE', {}],
] as const)('%s has no callbacks: 501', async (_name, method, query) => {
  const { call } = multipartCalls(await startTestEmulator(), 'a.txt');
  const callback = base64Json({ callbackUrl: 'https://app.example.com', callbackBody: 'a=b' });
  const body = method === 'PUT' ? { body: 'hello' } : {};
  for (const response of [
    await call(method, query, { ...body, headers: { 'x-oss-callback': callback } }),
    await call(method, { ...query, callback }, body),
  ]) {
    expect(await faultOf(response)).toStrictEqual([501, 'NotImplemented', undefined]);
  }
});

/** Replaces the time limits of calls. They end when the test aborts this. */
function replaceTimeouts(): AbortController {
  const ending = new AbortController();
  const spy = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(ending.signal);
  onTestFinished(() => spy.mockRestore());
  return ending;
}

it('responds with 203 if the server does not respond in time', async () => {
  const ending = replaceTimeouts();
  const { receiver, result } = await upload('the header of a PUT', null);
  await receiver.received;
  ending.abort();
  expect(await faultOf(await result)).toStrictEqual([203, 'CallbackFailed', '0007-00000202']);
});

it('ends a call in progress when it is closed', async () => {
  replaceTimeouts();
  const { emulator, receiver, result } = await upload('the header of a PUT', null);
  const rejected = expect(result).rejects.toThrow('fetch failed');
  await receiver.received;
  await emulator.close();
  await Promise.all([rejected, receiver.disconnected]);
  expect(emulator.events.map(({ status }) => status)).toStrictEqual([499]);
});
