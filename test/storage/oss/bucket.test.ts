import { describe, expect, it } from 'vitest';
import type { ObjectDownload, ObjectUpload, Signing } from '../../../src/storage/object-storage.ts';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';
import { now } from '../../support/fixed-clock.ts';
import { referenceUrl } from '../../support/reference-url.ts';

const BUCKET = { bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' } as const;
const UPLOAD: ObjectUpload = {
  key: 'users/alice/photo.png',
  contentType: 'image/png',
  metadata: {},
  overwrite: true,
};
const SIGNING: Signing = {
  credentials: { accessKeyId: 'STS.One', accessKeySecret: 'TheSecret', securityToken: 'token/one==' },
  signedAt: now,
  expiresInSeconds: 600,
};

describe('the headers of an upload', () => {
  it('are those of the upload and those that all uploads have, and no length', () => {
    const uploads = prepareBucket(BUCKET).prepareUploads({
      'x-oss-storage-class': 'IA',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
    });
    const upload = {
      ...UPLOAD,
      overwrite: false,
      contentLength: 7,
      contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
      metadata: { album: '42' },
      cacheControl: 'no-cache',
      contentDisposition: 'attachment',
      contentEncoding: 'gzip',
    };
    const headers = {
      'Content-Type': 'image/png',
      'Content-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment',
      'Content-Encoding': 'gzip',
      'x-oss-forbid-overwrite': 'true',
      'x-oss-meta-album': '42',
      'x-oss-storage-class': 'IA',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
    };
    expect(uploads.headers(upload)).toStrictEqual(headers);
    const signed = uploads.presign(upload, SIGNING);
    expect(signed.headers).toStrictEqual(headers);
    expect(new URL(signed.url).searchParams.get('x-oss-additional-headers')).toBe(
      'cache-control;content-disposition;content-encoding;content-length;expires',
    );
  });

  it('have the value of the upload if the common headers have another one', () => {
    const uploads = prepareBucket(BUCKET).prepareUploads({ 'Content-Disposition': 'attachment' });
    const contentDisposition = 'attachment; filename="a.png"';
    const { url, headers } = uploads.presign({ ...UPLOAD, contentDisposition }, SIGNING);
    expect(headers).toStrictEqual({ 'Content-Type': 'image/png', 'Content-Disposition': contentDisposition });
    expect(url).toBe(referenceUrl({ ...BUCKET, ...SIGNING, key: UPLOAD.key, headers }));
  });

  it('are all signed by default when the URL names no additional ones', () => {
    const { url } = prepareBucket(BUCKET).prepareUploads({}).presign(UPLOAD, SIGNING);
    expect(new URL(url).searchParams.has('x-oss-additional-headers')).toBe(false);
  });
});

// For each pair, a bucket that reused too much of its last signature would give the second the signer of the first.
const { securityToken: _, ...withoutToken } = SIGNING.credentials;
it.each<[string, Partial<Signing>]>([
  [
    'a secret that changes within a day',
    { credentials: { ...SIGNING.credentials, accessKeySecret: 'other' } },
  ],
  ['another access key id', { credentials: { ...SIGNING.credentials, accessKeyId: 'STS.Two' } }],
  ['another token', { credentials: { ...SIGNING.credentials, securityToken: 'token/two==' } }],
  ['credentials without a token', { credentials: withoutToken }],
  ['another day', { signedAt: new Date(now.getTime() + 86_400_000) }],
  ['another second', { signedAt: new Date(now.getTime() + 1000) }],
])('signs in turn with %s', (_name, change) => {
  const uploads = prepareBucket(BUCKET).prepareUploads({});
  const changed = { ...SIGNING, ...change };
  const turns = [SIGNING, changed, SIGNING, changed, changed, SIGNING];
  expect(turns.map((signing) => uploads.presign(UPLOAD, signing).url)).toStrictEqual(
    turns.map((signing) =>
      referenceUrl({ ...BUCKET, ...signing, key: UPLOAD.key, headers: { 'Content-Type': 'image/png' } }),
    ),
  );
});

it('signs with the credentials as they are now, even if their owner changes the object', () => {
  const uploads = prepareBucket(BUCKET).prepareUploads({});
  const credentials = { ...SIGNING.credentials };
  uploads.presign(UPLOAD, { ...SIGNING, credentials });
  credentials.accessKeySecret = 'other';
  const signing = { ...SIGNING, credentials };
  expect(uploads.presign(UPLOAD, signing).url).toBe(
    referenceUrl({ ...BUCKET, ...signing, key: UPLOAD.key, headers: { 'Content-Type': 'image/png' } }),
  );
});

it('cuts the instant to whole seconds', () => {
  const signing = { ...SIGNING, signedAt: new Date('2026-11-23T10:00:00.999Z') };
  const { url } = prepareBucket(BUCKET).prepareUploads({}).presign(UPLOAD, signing);
  expect(new URL(url).searchParams.get('x-oss-date')).toBe('20261123T100000Z');
});

it('gives the same URL for the same input, and changes nothing of it', () => {
  const headers = Object.freeze({ Expires: 'Thu, 26 Nov 2026 10:00:00 GMT' });
  const uploads = prepareBucket(BUCKET).prepareUploads(headers);
  const upload = Object.freeze({ ...UPLOAD, metadata: Object.freeze({ album: '42' }) });
  expect(uploads.presign(upload, SIGNING)).toStrictEqual(uploads.presign(upload, SIGNING));
});

it.each<[string, Partial<ObjectUpload & Signing>]>([
  ['no time', { expiresInSeconds: 0 }],
  ['more than seven days', { expiresInSeconds: 604_801 }],
  ['half a second', { expiresInSeconds: 0.5 }],
  ['an empty key', { key: '' }],
  ['a key with ..', { key: 'a/../b' }],
  ['a key that is .', { key: '.' }],
  ['half a surrogate pair', { key: '\ud83d' }],
  ['a blank header', { metadata: { a: ' ' } }],
  ['a line break in a header', { metadata: { a: 'a\r\nb: c' } }],
  ['a header that is not ASCII', { metadata: { a: 'é' } }],
  ['a header name with a blank', { metadata: { 'a b': 'a' } }],
  ['a header in two spellings', { metadata: { a: '1', A: '2' } }],
  ['an invalid instant', { signedAt: new Date(Number.NaN) }],
])('rejects %s, and repeats nothing of it', (_name, change) => {
  const uploads = prepareBucket(BUCKET).prepareUploads({});
  const attempt = () => uploads.presign({ ...UPLOAD, ...change }, { ...SIGNING, ...change });
  expect(attempt).toThrow();
  expect(attempt).not.toThrow(/TheSecret|é|b: c/);
});

it.each([
  ['a name with a blank', { 'x-oss meta': 'a' }],
  ['a blank value', { Expires: ' ' }],
])('prepares no uploads that all have %s', (_name, headers) => {
  expect(() => prepareBucket(BUCKET).prepareUploads(headers)).toThrow(TypeError);
});

it('rejects a length that all uploads have if an upload has its own', () => {
  const uploads = prepareBucket(BUCKET).prepareUploads({ 'Content-Length': '1' });
  expect(() => uploads.presign({ ...UPLOAD, contentLength: 2 }, SIGNING)).toThrow(
    'content-length is duplicated',
  );
});

it('signs metadata alike, whether their names were prepared or not', () => {
  const upload = { ...UPLOAD, metadata: { album: 'x', camera: 'y' } };
  const bucket = prepareBucket(BUCKET);
  const prepared = bucket.prepareUploads({}, ['album', 'unused']).presign(upload, SIGNING);
  expect(prepared).toStrictEqual(bucket.prepareUploads({}).presign(upload, SIGNING));
  expect(prepared.headers).toMatchObject({ 'x-oss-meta-album': 'x', 'x-oss-meta-camera': 'y' });
});

describe('a download', () => {
  const DOWNLOAD: ObjectDownload = { key: 'users/alice/photo.png', contentDisposition: 'attachment' };
  const { presignDownload } = prepareBucket(BUCKET);

  it('has the Content-Disposition in its URL, and asks for no header', () => {
    const { searchParams } = new URL(presignDownload(DOWNLOAD, SIGNING).url);
    expect([...searchParams.keys()]).toStrictEqual([
      'response-content-disposition',
      'x-oss-credential',
      'x-oss-date',
      'x-oss-expires',
      'x-oss-security-token',
      'x-oss-signature-version',
      'x-oss-signature',
    ]);
  });

  it('shares the day key with uploads and follows the credentials', () => {
    const bucket = prepareBucket(BUCKET);
    const other = { ...SIGNING, credentials: { ...SIGNING.credentials, accessKeySecret: 'other' } };
    const urls = [SIGNING, other, SIGNING].map((signing) => {
      bucket.prepareUploads({}).presign(UPLOAD, signing);
      return bucket.presignDownload(DOWNLOAD, signing).url;
    });
    expect(urls[2]).toBe(urls[0]);
    expect(urls[1]).not.toBe(urls[0]);
  });

  it.each<[string, Partial<ObjectDownload & Signing>]>([
    ['no time', { expiresInSeconds: 0 }],
    ['an empty key', { key: '' }],
    ['a key with ..', { key: 'a/../b' }],
    ['half a surrogate pair', { key: '\ud83d' }],
    ['an empty Content-Disposition', { contentDisposition: '' }],
    ['a Content-Disposition that begins with a blank', { contentDisposition: ' attachment' }],
    ['a line break in Content-Disposition', { contentDisposition: 'a\r\nb: c' }],
    ['a Content-Disposition that is not ASCII', { contentDisposition: 'attachment; filename=é' }],
  ])('is rejected with %s', (_name, change) => {
    const attempt = () => presignDownload({ ...DOWNLOAD, ...change }, { ...SIGNING, ...change });
    expect(attempt).toThrow(TypeError);
    expect(attempt).not.toThrow(/TheSecret|é|b: c/);
  });
});
