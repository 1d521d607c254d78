import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import type { StoredObject } from '../../../../src/storage/object-storage.ts';
import { APP_SERVER, createCompletionApp, PUBLIC_URL } from '../../../support/completion-app.ts';
import { now } from '../../../support/fixed-clock.ts';
import { GRANT_ID, storedObject } from '../../../support/granted-upload.ts';
import { ownFilesRule } from '../../../support/policies.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';

const nowSeconds = now.getTime() / 1000;

it('responds with the stored object and a receipt', async () => {
  const { call, idOf } = await createCompletionApp();
  const response = await call('complete', { id: idOf(), crc64: '14078989528371189546' });
  expect(response.status).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  const { receipt, ...rest } = response.body;
  expect(rest).toStrictEqual({
    state: 'stored',
    transfer: 'put',
    key: 'users/alice/photo.png',
    bucket: 'acme-media',
    region: 'cn-hangzhou',
    target: 'media',
    contentLength: 5,
    contentType: 'image/png',
    etag: '5D41402ABC4B2A76B9719D911017C592',
    crc64: '14078989528371189546',
    lastModified: '2026-11-23T10:00:01Z',
  });
  expect(receipt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
});

it('signs a receipt that verifies with the published keys, and has exactly these claims', async () => {
  const { call, idOf, http } = await createCompletionApp();
  const { receipt } = (await call('complete', { id: idOf() })).body;
  const published = createLocalJWKSet((await http.get('/.well-known/jwks.json')).body);
  const { payload, protectedHeader } = await jwtVerify(receipt, published, {
    ...{ issuer: PUBLIC_URL, audience: PUBLIC_URL, typ: 'upload-receipt+jwt', algorithms: ['ES256'] },
    currentDate: now,
  });
  expect(protectedHeader).toStrictEqual({ alg: 'ES256', typ: 'upload-receipt+jwt', kid: 'test-key' });
  expect(payload).toStrictEqual({
    iss: PUBLIC_URL,
    aud: PUBLIC_URL,
    sub: 'alice',
    caller_issuer: 'https://login.test/',
    rule: 'own-files',
    target: 'media',
    bucket: 'acme-media',
    key: 'users/alice/photo.png',
    content_length: 5,
    content_type: 'image/png',
    etag: '5D41402ABC4B2A76B9719D911017C592',
    crc64: '14078989528371189546',
    iat: nowSeconds,
    exp: nowSeconds + 3600,
    jti: GRANT_ID,
  });
});

it('names the version, and leaves out a CRC-64 that the storage does not have', async () => {
  const head = async () => storedObject({ versionId: 'CAEQ1', crc64: undefined });
  const { call, idOf } = await createCompletionApp({ head });
  const { body } = await call('complete', { id: idOf() });
  expect(body).toMatchObject({ versionId: 'CAEQ1' });
  expect(body).not.toHaveProperty('crc64');
  const claims = JSON.parse(Buffer.from(body.receipt.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ version_id: 'CAEQ1' });
  expect(claims).not.toHaveProperty('crc64');
});

it('takes audience and lifetime of the receipt from the rule of the upload', async () => {
  const rules = [ownFilesRule({ receiptAudience: 'https://app.test/', receiptExpiresIn: '5m' })];
  const { call, idOf, keys } = await createCompletionApp({ rules });
  const { receipt } = (await call('complete', { id: idOf() })).body;
  const { payload } = await jwtVerify(receipt, createLocalJWKSet({ keys: [...keys.jwks.keys] as never }), {
    currentDate: now,
  });
  expect([payload.aud, payload.exp]).toStrictEqual(['https://app.test/', nowSeconds + 300]);
});

it('issues a receipt each time, and asks the storage once per call', async () => {
  const { call, idOf, heads } = await createCompletionApp();
  const id = idOf();
  const responses = await Promise.all([1, 2, 3].map(() => call('complete', { id })));
  expect(responses.map(({ status }) => status)).toStrictEqual([200, 200, 200]);
  expect(heads).toStrictEqual(Array(3).fill('users/alice/photo.png'));
});

it('names the uploader in the receipt that the server of the app gets', async () => {
  const { call, idOf } = await createCompletionApp();
  const { status, body } = await call('complete', { id: idOf() }, APP_SERVER);
  expect(status).toBe(200);
  const claims = JSON.parse(Buffer.from(body.receipt.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ sub: 'alice', caller_issuer: 'https://login.test/', rule: 'own-files' });
});

it('signs with the first service key, and opens the ids of all', async () => {
  const { idOf, keys } = await createCompletionApp();
  const id = idOf();
  const fresh = serviceKeysOf('fresh');
  const rotated = {
    signing: fresh.signing,
    find: (kid: string) => fresh.find(kid) ?? keys.find(kid),
    jwks: { keys: [...fresh.jwks.keys, ...keys.jwks.keys] },
  };
  const { call, http } = await createCompletionApp({ keys: rotated });
  const { status, body } = await call('complete', { id });
  expect(status).toBe(200);
  const published = createLocalJWKSet((await http.get('/.well-known/jwks.json')).body);
  expect((await jwtVerify(body.receipt, published, { currentDate: now })).protectedHeader.kid).toBe('fresh');
});

it('does not accept a receipt as an access token, whatever its audience', async () => {
  const rules = [ownFilesRule({ receiptAudience: 'uploads-backend' })];
  for (const options of [{}, { rules }]) {
    const { call, idOf, http } = await createCompletionApp(options);
    const { receipt } = (await call('complete', { id: idOf() })).body;
    for (const path of ['/v1/uploads', '/v1/uploads/complete', '/v1/uploads/status']) {
      const response = await http.post(path).set('authorization', `Bearer ${receipt}`).send({});
      expect(response.status).toBe(401);
    }
  }
});

it('ends the check of a client that has disconnected, and serves the next one', async () => {
  const { promise, resolve } = Promise.withResolvers<StoredObject>();
  const { app, call, idOf, issuer, log, heads } = await createCompletionApp({ head: () => promise });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const abort = new AbortController();
  const response = fetch(`${address}/v1/uploads/complete`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: idOf() }),
    signal: abort.signal,
  });
  await expect.poll(() => heads.length).toBe(1);
  abort.abort();
  await expect(response).rejects.toThrow('abort');
  resolve(storedObject());
  await expect.poll(() => log.filter((line) => line.includes('"msg":"complete stored"')).length).toBe(1);
  expect((await call('complete', { id: idOf() })).status).toBe(200);
});

it('lets pages of a listed origin call it, and read the state of the limit', async () => {
  const origin = 'https://app.example.com';
  const { http, idOf, issuer } = await createCompletionApp({ corsOrigins: [origin] });
  for (const operation of ['complete', 'status']) {
    const preflight = await http
      .options(`/v1/uploads/${operation}`)
      .set({ origin, 'access-control-request-method': 'POST' })
      .set({ 'access-control-request-headers': 'authorization,content-type' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    const response = await http
      .post(`/v1/uploads/${operation}`)
      .set({ origin, authorization: `Bearer ${await issuer.sign()}` })
      .send({ id: idOf() });
    expect([response.status, response.headers['access-control-allow-origin']]).toStrictEqual([200, origin]);
    expect(response.headers['access-control-expose-headers']).toContain('RateLimit-Remaining');
  }
});
