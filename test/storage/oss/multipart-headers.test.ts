import { describe, expect, it } from 'vitest';
import type { PartUpload, Signing } from '../../../src/storage/object-storage.ts';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';
import { ADDED_HEADERS } from '../../../src/storage/oss/header-values.ts';
import { isMultipartHeader } from '../../../src/storage/oss/multipart-headers.ts';
import { now } from '../../support/fixed-clock.ts';

const BUCKET = { bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' } as const;
const UPLOAD = { key: 'users/alice/film.mp4', contentType: 'video/mp4', metadata: {}, overwrite: false };
const PART: PartUpload = {
  key: UPLOAD.key,
  uploadId: '0004B9894A22E5B1888A1E29F8236E2D',
  partNumber: 1,
  contentLength: 7,
};
const SIGNING: Signing = {
  credentials: { accessKeyId: 'STS.One', accessKeySecret: 'TheSecret', securityToken: 'token/one==' },
  signedAt: now,
  expiresInSeconds: 600,
};

const OF_OBJECT = {
  Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
  'x-oss-storage-class': 'IA',
  'x-oss-tagging': 'team=web',
  'x-oss-server-side-encryption': 'KMS',
  'x-oss-server-side-encryption-key-id': 'key-1',
  'x-oss-server-side-data-encryption': 'SM4',
  'x-oss-meta-team': 'web',
};
const OF_COMPLETE = {
  'x-oss-object-acl': 'private',
  'x-oss-callback': 'e30=',
  'x-oss-callback-var': 'e30=',
};
const OF_PARTS = { 'X-OSS-Traffic-Limit': '819200' };
const PAYER = { 'x-oss-request-payer': 'requester' };

const uploads = prepareBucket(BUCKET).prepareUploads({ ...OF_OBJECT, ...OF_COMPLETE, ...OF_PARTS, ...PAYER });

describe('the headers of a rule', () => {
  it('are at the call that begins the upload if they describe the object', () => {
    const upload = {
      ...UPLOAD,
      metadata: { album: '42' },
      cacheControl: 'no-cache',
      contentDisposition: 'attachment; filename="a.mp4"',
      contentEncoding: 'gzip',
    };
    expect(uploads.initiateHeaders(upload)).toStrictEqual({
      'Content-Type': 'video/mp4',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment; filename="a.mp4"',
      'Content-Encoding': 'gzip',
      'x-oss-forbid-overwrite': 'true',
      'x-oss-meta-album': '42',
      ...OF_OBJECT,
      ...PAYER,
    });
  });

  it('are at the call that completes the upload if OSS reads them there', () => {
    expect(uploads.completeHeaders(false)).toStrictEqual({
      'x-oss-forbid-overwrite': 'true',
      ...OF_COMPLETE,
      ...PAYER,
    });
  });

  it('are in the query of a part, signed, so that the client sends no header', () => {
    const { url, headers } = uploads.presignPart(PART, SIGNING);
    const names = [...new URL(url).searchParams.keys()];
    expect(headers).toStrictEqual({});
    expect(url).toContain('&x-oss-request-payer=requester&x-oss-security-token=');
    expect(url).toContain('&x-oss-traffic-limit=819200&x-oss-signature=');
    expect(names.slice(0, -1)).toStrictEqual([
      ...['partNumber', 'uploadId', 'x-oss-additional-headers', 'x-oss-credential', 'x-oss-date'],
      ...['x-oss-expires', 'x-oss-request-payer', 'x-oss-security-token', 'x-oss-signature-version'],
      'x-oss-traffic-limit',
    ]);
  });

  it('forbid to replace an object at both ends, unless the upload replaces it', () => {
    const bare = prepareBucket(BUCKET).prepareUploads({});
    expect(bare.initiateHeaders({ ...UPLOAD, overwrite: true })).toStrictEqual({
      'Content-Type': 'video/mp4',
    });
    expect(bare.completeHeaders(true)).toStrictEqual({});
    expect(bare.initiateHeaders(UPLOAD)).toHaveProperty('x-oss-forbid-overwrite', 'true');
    expect(bare.completeHeaders(false)).toStrictEqual({ 'x-oss-forbid-overwrite': 'true' });
  });

  it('are rejected if no call of a multipart upload reads them', () => {
    const rejected = ADDED_HEADERS.filter((name) => !isMultipartHeader(name));
    expect(rejected).toStrictEqual(['content-language']);
    const stray = prepareBucket(BUCKET).prepareUploads({ 'Content-Language': 'en' });
    expect(() => stray.initiateHeaders(UPLOAD)).toThrow('a multipart upload cannot carry content-language');
  });
});

it.each(['Content-Type', 'X-OSS-Meta-Album', 'x-oss-tagging', 'X-Oss-Callback', 'x-oss-traffic-limit'])(
  'knows the header %s',
  (header) => expect(isMultipartHeader(header)).toBe(true),
);

describe('a part', () => {
  it('has its MD5 as the only header to send', () => {
    const contentMd5 = '1B2M2Y8AsgTpgAmY7PhCfg==';
    const { method, headers } = uploads.presignPart({ ...PART, contentMd5 }, SIGNING);
    expect([method, headers]).toStrictEqual(['PUT', { 'Content-MD5': contentMd5 }]);
  });

  it.each<[string, Partial<PartUpload & Signing>]>([
    ['another length', { contentLength: 8 }],
    ['an MD5', { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' }],
    ['another number', { partNumber: 2 }],
    ['another upload', { uploadId: '0004B9894A22E5B1888A1E29F8236E2E' }],
    ['another key', { key: 'users/alice/other.mp4' }],
    ['another expiry', { expiresInSeconds: 601 }],
  ])('has another signature with %s', (_, change) => {
    const signatureOf = (part: PartUpload, signing: Signing) =>
      new URL(uploads.presignPart(part, signing).url).searchParams.get('x-oss-signature');
    expect(signatureOf({ ...PART, ...change }, { ...SIGNING, ...change })).not.toBe(
      signatureOf(PART, SIGNING),
    );
  });

  it.each<[string, Partial<PartUpload & Signing>]>([
    ['number 0', { partNumber: 0 }],
    ['number 10001', { partNumber: 10_001 }],
    ['a number that is not whole', { partNumber: 1.5 }],
    ['no number', { partNumber: Number.NaN }],
    ['a negative length', { contentLength: -1 }],
    ['a length above 5 GiB', { contentLength: 5 * 1024 ** 3 + 1 }],
    ['a length that is not whole', { contentLength: 0.5 }],
    ['no upload id', { uploadId: '' }],
    ['a blank in the upload id', { uploadId: 'a b' }],
    ['a line feed in the upload id', { uploadId: 'a\n' }],
    ['an upload id without end', { uploadId: 'a'.repeat(1025) }],
    ['an MD5 with a line feed', { contentMd5: 'a\nb' }],
    ['a key that URL parsers change', { key: 'a/../b' }],
    ['an expiry of more than a week', { expiresInSeconds: 604_801 }],
  ])('is not signed with %s', (_, change) => {
    expect(() => uploads.presignPart({ ...PART, ...change }, { ...SIGNING, ...change })).toThrow(TypeError);
  });

  it('encodes an upload id of any printable ASCII', () => {
    const uploadId = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 33 + index));
    const { url } = uploads.presignPart({ ...PART, uploadId }, SIGNING);
    expect(new URL(url.replaceAll('+', '%2B')).searchParams.get('uploadId')).toBe(uploadId);
  });
});
