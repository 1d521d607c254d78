import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { now } from '../../../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { postForm } from '../../../support/post-form.ts';
import { serviceKeysFile } from '../../../support/service-keys.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from '../../../support/test-emulator.ts';
import { startTestService } from '../../../support/test-service.ts';

type Json = Readonly<Record<string, unknown>>;

const PUBLIC_URL = 'https://presign.example.com';
const BODY = 'hello world';
const MD5 = createHash('md5').update(BODY).digest('base64');

/** A service and an emulator: what one of them grants is sent to the other, and confirmed by the first. */
async function setUp(rules: readonly Json[] = [ownFilesRule({ transfers: ['put', 'form'] })]) {
  const emulator = await startTestEmulator();
  const keys = { current: serviceKeysFile('first') };
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules,
    }),
    env: {
      OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId,
      OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret,
      SERVICE_KEYS_FILE: 'keys.json',
      PUBLIC_URL,
    },
    files: { 'keys.json': () => keys.current },
  });
  const post = async (path: string, body: Json, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await service.issuer.sign()}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  return {
    emulator,
    service,
    keys,
    post,
    async grant(change: Json, headers?: Readonly<Record<string, string>>) {
      const request = { contentType: 'text/plain', contentLength: BODY.length, ...change };
      const { status, body } = await post('/v1/uploads', request, headers);
      expect([status, body]).toStrictEqual([201, expect.anything()]);
      return body;
    },
    complete: (id: unknown, more: Json = {}) => post('/v1/uploads/complete', { id, ...more }),
    verify: (receipt: string) =>
      jwtVerify(receipt, createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`)), {
        ...{ issuer: PUBLIC_URL, audience: PUBLIC_URL, typ: 'upload-receipt+jwt', algorithms: ['ES256'] },
        currentDate: now,
      }),
  };
}

/** Sends the bytes in the way of the grant. */
async function send(grant: Readonly<Record<string, never>>, body = BODY): Promise<number> {
  const response =
    grant.transfer === 'form'
      ? await postForm(
          { url: grant.url ?? '', fields: grant.fields ?? {}, fileField: grant.fileField ?? '' },
          { body },
        )
      : await fetch(grant.url ?? '', { method: 'PUT', headers: grant.headers ?? {}, body });
  return response.status;
}

const METADATA = { album: 'caf%C3%A9' };

it.each<[string, Json, Json?]>([
  ['a key', { key: 'users/alice/a.txt' }],
  ['a key in another script', { key: 'users/alice/日本語 ü.txt' }],
  ['a file name', { filename: 'a.txt' }],
  [
    'metadata and a header of the client',
    { key: 'users/alice/a.txt', metadata: METADATA, cacheControl: 'public, max-age=60' },
  ],
  ['an MD5', { key: 'users/alice/a.txt', contentMd5: MD5 }],
  ['a type with parameters', { filename: 'a.txt', contentType: 'text/plain;charset="UTF-8"; x=Y' }],
  ['an overwrite', { key: 'users/alice/a.txt', overwrite: true }, { overwrite: true }],
  ['its file name kept', { filename: 'rés umé.txt' }, { keepFilename: true }],
  ['any length', { key: 'users/alice/a.txt', contentLength: undefined }, { maxSize: 'unlimited' }],
  [
    'headers of the rule',
    { filename: 'a.txt', metadata: METADATA },
    {
      transfers: ['put'],
      clientHeaders: [],
      headers: {
        'Cache-Control': 'no-store',
        'Content-Disposition': 'none',
        'Content-Encoding': 'identity',
        'Content-Language': 'de',
        Expires: 'Tue, 01 Dec 2026 16:00:00 GMT',
        'x-oss-meta-tenant': 'acme',
        'x-oss-storage-class': 'IA',
      },
    },
  ],
  ['a form', { transfer: 'form', key: 'users/alice/a.txt', metadata: METADATA }],
  [
    'a form of any length up to a maximum',
    { transfer: 'form', filename: 'a.txt', contentLength: undefined, maxContentLength: 99 },
  ],
])('confirms an upload with %s', async (_title, request, fields = {}) => {
  const { grant, complete, verify, post } = await setUp([
    ownFilesRule({ transfers: ['put', 'form'], ...fields }),
  ]);
  const granted = await grant(request);
  expect((await post('/v1/uploads/status', { id: granted.id })).body).toMatchObject({ state: 'absent' });
  expect((await complete(granted.id)).status).toBe(404);
  expect(await send(granted)).toBe(200);
  const completed = await complete(granted.id);
  expect([completed.status, completed.body]).toStrictEqual([200, expect.anything()]);
  const { payload } = await verify(completed.body.receipt ?? '');
  expect(payload).toMatchObject({
    ...{ sub: 'alice', key: granted.key, content_length: BODY.length, iss: PUBLIC_URL },
    content_type: request.contentType ?? 'text/plain',
  });
  expect((await post('/v1/uploads/status', { id: granted.id })).body).toMatchObject({ state: 'stored' });
});

it('confirms no upload with the id of another grant for the same key', async () => {
  const { grant, complete } = await setUp();
  const [first, second] = [
    await grant({ key: 'users/alice/a.txt' }),
    await grant({ key: 'users/alice/a.txt' }),
  ];
  expect(await send(first)).toBe(200);
  expect((await complete(first.id)).status).toBe(200);
  const { status, body } = await complete(second.id);
  expect([status, body.errors]).toMatchObject([409, [{ pointer: '', code: 'other_upload' }]]);
});

it('finds what a form sent besides the granted fields', async () => {
  const { grant, complete } = await setUp();
  const granted = await grant({ transfer: 'form', key: 'users/alice/a.txt' });
  const fields = {
    ...(granted.fields as Json | undefined),
    'x-oss-meta-extra': 'x',
    'Content-Encoding': 'gzip',
  };
  const form = { url: granted.url ?? '', fields, fileField: granted.fileField ?? '' };
  expect((await postForm(form, { body: BODY })).status).toBe(200);
  const { status, body } = await complete(granted.id);
  expect([status, body.errors]).toMatchObject([
    409,
    [
      { pointer: '/metadata', code: 'metadata_mismatch' },
      { pointer: '/contentEncoding', code: 'header_mismatch' },
    ],
  ]);
});

it('confirms the one object of a request that was repeated with its Idempotency-Key', async () => {
  const { grant, complete, verify } = await setUp();
  const again = () => grant({ filename: 'a.txt' }, { 'idempotency-key': 'k1' });
  const [first, second] = [await again(), await again()];
  expect(second.key).toBe(first.key);
  expect(await send(first)).toBe(200);
  const receipts = [(await complete(first.id)).body.receipt, (await complete(second.id)).body.receipt];
  const [one, other] = await Promise.all(receipts.map((receipt) => verify(receipt ?? '')));
  expect(one?.payload.jti).toBe(other?.payload.jti);
});

it('verifies old receipts, and opens old ids, while the key of both is published', async () => {
  const { grant, complete, verify, keys, service } = await setUp();
  const granted = await grant({ filename: 'a.txt' });
  expect(await send(granted)).toBe(200);
  const old = (await complete(granted.id)).body.receipt ?? '';
  const [added] = JSON.parse(serviceKeysFile('second')).keys;
  const [first] = JSON.parse(keys.current).keys;
  const states: unknown[] = [];
  for (const set of [[first, added], [added, first], [added]]) {
    keys.current = JSON.stringify({ keys: set });
    service.reloadFiles();
    const oldIsValid = await verify(old).then(
      () => true,
      () => false,
    );
    const { status, body } = await complete(granted.id);
    const kid = body.receipt === undefined ? undefined : (await verify(body.receipt)).protectedHeader.kid;
    states.push([oldIsValid, status, kid]);
  }
  expect(states).toStrictEqual([
    [true, 200, 'first'],
    [true, 200, 'second'],
    [false, 403, undefined],
  ]);
});

it('does not confirm an id that another service made', async () => {
  const [one, other] = [await setUp(), await setUp()];
  const granted = await one.grant({ filename: 'a.txt' });
  expect((await other.complete(granted.id)).status).toBe(403);
});
