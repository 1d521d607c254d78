import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { attributeDigests } from '../../../../src/grants/attribute-digests.ts';
import type { GrantedUpload } from '../../../../src/grants/upload-id.ts';
import { createCallLimit } from '../../../../src/storage/call-limit.ts';
import { createBucketClient } from '../../../../src/storage/oss/bucket-client.ts';
import { createCompletionApp } from '../../../support/completion-app.ts';
import { fixedClock, now } from '../../../support/fixed-clock.ts';
import { GRANT_ID } from '../../../support/granted-upload.ts';
import { mediaTarget, ownFilesRule } from '../../../support/policies.ts';
import {
  BUCKET,
  LONG_LIVED,
  REGION,
  startTestEmulator,
  type TestEmulator,
} from '../../../support/test-emulator.ts';

type Headers = Readonly<Record<string, string | undefined>>;

const KEY = 'users/alice/photo.png';
const BODY = 'hello world';
const MD5 = createHash('md5').update(BODY).digest('base64');

/** The headers that the grant of {@link GRANTED} asks for. */
const HEADERS = {
  'content-type': 'image/png',
  'cache-control': 'private, no-cache',
  'content-disposition': 'attachment',
  'x-oss-meta-album': 'holiday',
  'x-oss-meta-upload-id': GRANT_ID,
};

const GRANTED: Partial<GrantedUpload> = {
  contentLength: { min: BODY.length, max: BODY.length },
  contentMd5: MD5,
  attributes: attributeDigests({
    metadata: { album: 'holiday' },
    cacheControl: 'private, no-cache',
    contentDisposition: 'attachment',
    contentEncoding: undefined,
    expires: undefined,
  }),
};

/** Writes an object with the cloud credentials, past the service. A header of undefined is left out. */
async function write(
  emulator: TestEmulator,
  { headers = {}, body = BODY, key = KEY }: { headers?: Headers; body?: string; key?: string } = {},
): Promise<void> {
  const sent = Object.fromEntries(
    Object.entries({ ...HEADERS, ...headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const response = await fetch(emulator.presign({ key, headers: sent }), {
    method: 'PUT',
    headers: sent,
    body,
  });
  expect(response.status).toBe(200);
}

/** Makes a symbolic link under the key, with the metadata of the grant, to the bytes of the grant. */
async function link(emulator: TestEmulator): Promise<void> {
  await write(emulator, { key: 'users/alice/elsewhere.png' });
  const headers = { ...HEADERS, 'x-oss-symlink-target': 'users/alice/elsewhere.png' };
  const url = emulator.presign({ key: KEY, headers, query: { symlink: '' } });
  expect((await fetch(url, { method: 'PUT', headers })).status).toBe(200);
}

/** The service with a bucket client that asks an emulator; `change` changes what it responds. */
async function createStoredApp(
  change: (headers: globalThis.Headers) => void = () => {},
  options: Parameters<typeof createCompletionApp>[0] = {},
) {
  const emulator = await startTestEmulator({
    buckets: { [BUCKET]: { region: REGION }, 'acme-other': { region: REGION } },
  });
  const app = await createCompletionApp({
    createClient: ({ bucket, region }) =>
      createBucketClient(
        { bucket, region, serviceEndpoint: { url: emulator.url, addressing: 'path' } },
        {
          credentials: async () => LONG_LIVED,
          fetch: async (...request) => {
            const response = await fetch(...request);
            const headers = new Headers(response.headers);
            change(headers);
            return new Response(null, { status: response.status, headers });
          },
          clock: fixedClock,
          timers: { timeout: () => new AbortController().signal, wait: async () => {} },
          callLimit: createCallLimit(64),
          observer: { callStarted: () => () => {} },
        },
      ),
    ...options,
  });
  return { ...app, emulator };
}

/** The status of `complete`, and the pointer and code of each difference. */
async function complete(
  { call, idOf }: Awaited<ReturnType<typeof createStoredApp>>,
  granted: Partial<GrantedUpload> = {},
  crc64?: string,
) {
  const response = await call('complete', { id: idOf({ ...GRANTED, ...granted }), ...(crc64 && { crc64 }) });
  if (response.status !== 200) expect(response.text).not.toContain('receipt');
  const { errors = [] } = response.body as { errors?: { pointer: string; code: string }[] };
  const status = await call('status', { id: idOf({ ...GRANTED, ...granted }) });
  // The state of an upload is decided in the same way, but for the CRC-64 and an absent object.
  if (crc64 === undefined && response.status !== 404) expect(status.status).toBe(response.status);
  return [response.status, ...errors.map(({ pointer, code }) => `${pointer} ${code}`)];
}

it('issues a receipt for the object that was granted', async () => {
  const app = await createStoredApp();
  await write(app.emulator);
  const crc64 = (
    await fetch(app.emulator.presign({ method: 'HEAD', key: KEY }), { method: 'HEAD' })
  ).headers.get('x-oss-hash-crc64ecma');
  const { status, body } = await app.call('complete', { id: app.idOf(GRANTED), crc64 });
  expect(status).toBe(200);
  const published = createLocalJWKSet((await app.http.get('/.well-known/jwks.json')).body);
  const { payload } = await jwtVerify(body.receipt, published, { currentDate: now });
  expect(payload).toMatchObject({
    ...{ key: KEY, content_length: BODY.length, content_type: 'image/png', crc64, jti: GRANT_ID },
    etag: createHash('md5').update(BODY).digest('hex').toUpperCase(),
  });
});

it.each<[string, (emulator: TestEmulator) => Promise<unknown>, readonly (string | number)[], string?]>([
  ['an absent object', async () => {}, [404]],
  ['an object under another key', (to) => write(to, { key: 'users/alice/other.png' }), [404]],
  [
    'another size',
    (to) => write(to, { body: `${BODY}!` }),
    [409, '/contentLength content_length_mismatch', '/contentMd5 checksum_mismatch'],
  ],
  [
    'an empty object',
    (to) => write(to, { body: '' }),
    [409, '/contentLength content_length_mismatch', '/contentMd5 checksum_mismatch'],
  ],
  [
    'other bytes of this size',
    (to) => write(to, { body: 'hello w0rld' }),
    [409, '/contentMd5 checksum_mismatch'],
  ],
  ['another CRC-64', (to) => write(to), [409, '/crc64 checksum_mismatch'], '1'],
  [
    'another type',
    (to) => write(to, { headers: { 'content-type': 'text/html' } }),
    [409, '/contentType content_type_mismatch'],
  ],
  [
    'one more entry of metadata',
    (to) => write(to, { headers: { 'x-oss-meta-more': 'x' } }),
    [409, '/metadata metadata_mismatch'],
  ],
  [
    'one entry of metadata less',
    (to) => write(to, { headers: { 'x-oss-meta-album': undefined } }),
    [409, '/metadata metadata_mismatch'],
  ],
  [
    'another value',
    (to) => write(to, { headers: { 'x-oss-meta-album': 'holidays' } }),
    [409, '/metadata metadata_mismatch'],
  ],
  [
    'a value in another case',
    (to) => write(to, { headers: { 'x-oss-meta-album': 'HOLIDAY' } }),
    [409, '/metadata metadata_mismatch'],
  ],
  [
    'another Cache-Control',
    (to) => write(to, { headers: { 'cache-control': 'public' } }),
    [409, '/cacheControl header_mismatch'],
  ],
  [
    'no Cache-Control',
    (to) => write(to, { headers: { 'cache-control': undefined } }),
    [409, '/cacheControl header_mismatch'],
  ],
  [
    'another Content-Disposition',
    (to) => write(to, { headers: { 'content-disposition': 'inline' } }),
    [409, '/contentDisposition header_mismatch'],
  ],
  [
    'a Content-Encoding',
    (to) => write(to, { headers: { 'content-encoding': 'gzip' } }),
    [409, '/contentEncoding header_mismatch'],
  ],
  [
    'an Expires',
    (to) => write(to, { headers: { expires: 'Thu, 01 Dec 2026 16:00:00 GMT' } }),
    [409, '/expires header_mismatch'],
  ],
  [
    'the object of another grant',
    (to) => write(to, { headers: { 'x-oss-meta-upload-id': '019ab000-0000-7000-8000-00000000000b' } }),
    [409, ' other_upload'],
  ],
  [
    'an object of no grant',
    (to) => write(to, { headers: { 'x-oss-meta-upload-id': undefined } }),
    [409, ' other_upload'],
  ],
  [
    'the object of another grant that differs in everything',
    (to) => write(to, { body: 'x', headers: { 'content-type': 'a/b', 'x-oss-meta-upload-id': 'x' } }),
    [409, ' other_upload'],
  ],
  ['a symbolic link to the bytes', link, [409, ' object_type_not_allowed']],
])('issues no receipt for %s', async (_title, prepare, expected, crc64) => {
  const app = await createStoredApp();
  await prepare(app.emulator);
  expect(await complete(app, {}, crc64)).toStrictEqual(expected);
});

it.each<[string, (headers: globalThis.Headers) => void, readonly (string | number)[], string?]>([
  [
    'neither Content-MD5 nor an ETag that is an MD5',
    (headers) => {
      headers.delete('content-md5');
      headers.set('etag', '"5B3C1A2E053D763E1B002CC607C5A0FE-1"');
    },
    [409, '/contentMd5 checksum_mismatch'],
  ],
  ['an ETag that is the MD5 alone', (headers) => headers.delete('content-md5'), [200]],
  ['no CRC-64', (headers) => headers.delete('x-oss-hash-crc64ecma'), [409, '/crc64 checksum_mismatch'], '1'],
  [
    'an object that was assembled from parts',
    (headers) => headers.set('x-oss-object-type', 'Multipart'),
    [409, ' object_type_not_allowed'],
  ],
  [
    'an object that was appended to',
    (headers) => headers.set('x-oss-object-type', 'Appendable'),
    [409, ' object_type_not_allowed'],
  ],
  ['no type of object', (headers) => headers.delete('x-oss-object-type'), [409, ' object_type_not_allowed']],
  ['a download that OSS forces', (headers) => headers.set('x-oss-force-download', 'true'), [200]],
  ['a version', (headers) => headers.set('x-oss-version-id', 'CAEQ1'), [200]],
])('decides by what OSS states: %s', async (_title, change, expected, crc64) => {
  const app = await createStoredApp(change);
  await write(app.emulator);
  expect(await complete(app, {}, crc64)).toStrictEqual(expected);
});

it.each<[string, Partial<GrantedUpload>, Parameters<typeof createCompletionApp>[0]?]>([
  ['another bucket', {}, { targets: { media: mediaTarget({ bucket: 'acme-other' }) } }],
  ['another region', {}, { targets: { media: mediaTarget({ region: 'cn-beijing' }) } }],
  ['another prefix', {}, { rules: [ownFilesRule({ prefix: 'photos/{sub}/' })] }],
  ['no receipts', {}, { rules: [ownFilesRule({ receipts: false })] }],
  ['no transfer of this kind', { transfer: 'form' }],
  ['another name', { rule: 'renamed' }],
])('issues no receipt for a stored object whose rule now has %s', async (_title, granted, options) => {
  const app = await createStoredApp(undefined, options);
  await write(app.emulator);
  expect(await complete(app, granted)).toStrictEqual([403]);
});

it('issues a receipt for a form, whose ETag is not the MD5', async () => {
  const app = await createStoredApp((headers) => headers.set('etag', '"5B3C1A2E053D763E1B002CC607C5A0FE"'), {
    rules: [ownFilesRule({ transfers: ['put', 'form'] })],
  });
  await write(app.emulator);
  const form = { transfer: 'form', contentMd5: undefined } as const;
  expect(await complete(app, { ...form, contentLength: { min: 0, max: 20 } })).toStrictEqual([200]);
  expect(await complete(app, { ...form, contentLength: { min: 0, max: 10 } })).toStrictEqual([
    ...[409, '/contentLength content_length_mismatch'],
  ]);
});

it('confirms what replaced the object of the same grant, and reports what another grant replaced', async () => {
  const app = await createStoredApp();
  await write(app.emulator);
  expect(await complete(app)).toStrictEqual([200]);
  await write(app.emulator, { headers: { 'x-oss-meta-upload-id': 'another' } });
  expect(await complete(app)).toStrictEqual([409, ' other_upload']);
  await write(app.emulator);
  expect(await complete(app)).toStrictEqual([200]);
});
