import { expect, it } from 'vitest';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';

const BUCKET = { bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' } as const;
const UPLOAD = { key: 'a', contentType: 'a/b', metadata: {}, overwrite: false };
const uploads = prepareBucket(BUCKET).prepareUploads({
  'Content-Disposition': ' attachment ',
  'Cache-Control': 'private, no-cache',
  Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
  'X-Oss-Meta-Origin': ' app ',
  'x-oss-storage-class': 'IA',
});

it('lists the attributes that the common headers set, as OSS stores them', () => {
  expect(uploads.attributes(UPLOAD)).toStrictEqual({
    metadata: Object.assign(Object.create(null), { origin: 'app' }),
    cacheControl: 'private, no-cache',
    contentDisposition: 'attachment',
    contentEncoding: undefined,
    expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
  });
});

it('returns the same metadata for uploads that add none', () => {
  expect(uploads.attributes(UPLOAD).metadata).toBe(uploads.attributes({ ...UPLOAD, key: 'b' }).metadata);
});

it('adds what the upload sets, whose Content-Disposition replaces the common one', () => {
  const upload = {
    ...UPLOAD,
    metadata: { album: 'x', constructor: 'y' },
    contentDisposition: 'inline',
    contentEncoding: 'gzip',
  };
  expect(uploads.attributes(upload)).toStrictEqual({
    metadata: Object.assign(Object.create(null), { origin: 'app', album: 'x', constructor: 'y' }),
    cacheControl: 'private, no-cache',
    contentDisposition: 'inline',
    contentEncoding: 'gzip',
    expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
  });
});

it('has none of the attributes without headers', () => {
  const { metadata, ...rest } = prepareBucket(BUCKET).prepareUploads({}).attributes(UPLOAD);
  expect(Object.keys(metadata)).toStrictEqual([]);
  expect(rest).toStrictEqual({
    cacheControl: undefined,
    contentDisposition: undefined,
    contentEncoding: undefined,
    expires: undefined,
  });
});
