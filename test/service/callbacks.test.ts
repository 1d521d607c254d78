import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { postForm } from '../support/post-form.ts';
import { findFreePort } from '../support/redis-server.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { BUCKET, LONG_LIVED, REGION, readXml, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';

type Json = Readonly<Record<string, unknown>>;

const TRANSFERS = ['put', 'form'] as const;

/** A service and an emulator that calls it back, unless another service has `PUBLIC_URL`. */
async function setUp({ callbackKey, publicPort }: { callbackKey?: string; publicPort?: number } = {}) {
  const emulator = await startTestEmulator({ callbacks: { allowPrivateAddresses: true } });
  const port = await findFreePort();
  const keys = serviceKeysFile('first');
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [ownFilesRule({ transfers: [...TRANSFERS], callback: true })],
    }),
    env: {
      ...{ OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId, OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret },
      ...{ PORT: String(port), SERVICE_KEYS_FILE: 'keys.json', OSS_CALLBACK_KEY_FILE: 'oss.pem' },
      PUBLIC_URL: `http://127.0.0.1:${publicPort ?? port}`,
    },
    files: { 'keys.json': () => keys, 'oss.pem': () => callbackKey ?? emulator.callbackPublicKey },
  });
  const post = async (route: string, body: Json) => {
    const response = await fetch(`${service.url}${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await service.issuer.sign()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  return { emulator, service, post };
}

/** Asks for an upload, and sends its bytes. */
async function upload(post: Awaited<ReturnType<typeof setUp>>['post'], transfer: string) {
  const request = {
    transfer,
    key: `users/alice/${transfer}.txt`,
    contentType: 'text/plain',
    contentLength: 5,
  };
  const { status, body: grant } = await post('/v1/uploads', request);
  expect([status, grant]).toStrictEqual([201, expect.anything()]);
  const { url = '', fields = {}, fileField = '', headers = {}, id } = grant;
  const response =
    transfer === 'form'
      ? await postForm({ url, fields, fileField }, { body: 'hello' })
      : await fetch(url, { method: 'PUT', headers, body: 'hello' });
  return { id, status: response.status, text: await response.text() };
}

it.each(TRANSFERS)('confirms a %s by the callback, and again by complete', async (transfer) => {
  const { post, service } = await setUp();
  const { id, status, text } = await upload(post, transfer);
  expect([status, text]).toStrictEqual([200, '{"state":"stored"}']);
  const line = JSON.parse(service.log.find((one) => one.includes('"operation":"callback"')) ?? '{}');
  expect(line).toMatchObject({ msg: 'callback stored', status: 200, audit: { subject: 'alice' } });
  const completed = await post('/v1/uploads/complete', { id });
  expect([completed.status, completed.body]).toMatchObject([
    200,
    { state: 'stored', receipt: expect.stringMatching(/^ey/) },
  ]);
});

it.each(TRANSFERS)('stores a %s although its callback fails, and complete confirms it', async (transfer) => {
  const other = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey;
  const { post, service } = await setUp({
    callbackKey: other.export({ type: 'spki', format: 'pem' }).toString(),
  });
  const { id, status, text } = await upload(post, transfer);
  expect([status, readXml(text)]).toMatchObject([
    203,
    { Code: 'CallbackFailed', Message: 'Error status : 401.' },
  ]);
  expect(service.log.join('')).toContain('"reasons":["signature"]');
  expect((await post('/v1/uploads/complete', { id })).status).toBe(200);
});

it('stores an upload although no server listens at PUBLIC_URL', async () => {
  const { post } = await setUp({ publicPort: await findFreePort() });
  const { id, status, text } = await upload(post, 'put');
  expect([status, readXml(text)]).toMatchObject([
    203,
    { Message: expect.stringMatching(/^Error status : -1\. OSS can not connect/) },
  ]);
  expect((await post('/v1/uploads/complete', { id })).status).toBe(200);
});
