import { describe, expect, it } from 'vitest';
import { readStoredObject } from '../../../src/storage/oss/stored-object.ts';

const HEADERS = {
  'Content-Length': '48213',
  'Content-Type': 'image/PNG;a=B',
  ETag: '"5D41402ABC4B2A76B9719D911017C592"',
  'Last-Modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
  'Content-MD5': 'XUFAKrxLKna5cZ2REBfFkg==',
  'x-oss-hash-crc64ecma': '18446744073709551615',
  'x-oss-object-type': 'Normal',
  'x-oss-version-id': 'CAEQNhiBgM0BYiIDc4MGZjZGI2OTBjOTRmNTE5NmU5NmFhZjhjYmY0',
  'x-oss-meta-Album': 'summer',
  'x-oss-meta-upload-id': '019ab0c4-7f3a-7000-8000-000000000001',
  'x-oss-storage-class': 'Standard',
  'Cache-Control': 'private, no-cache',
  'Content-Disposition': 'attachment',
  'Content-Encoding': 'gzip',
  Expires: 'Tue, 24 Nov 2026 10:00:00 GMT',
  'x-oss-force-download': 'true',
};

/** The object of the headers with these changes; null removes one. */
function read(change: Readonly<Record<string, string | null>> = {}) {
  const headers = new Headers(HEADERS);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return readStoredObject(headers);
}

it('reads everything that OSS sends of an object', () => {
  expect(read()).toStrictEqual({
    contentLength: 48_213,
    contentType: 'image/PNG;a=B',
    metadata: Object.assign(Object.create(null), {
      album: 'summer',
      'upload-id': '019ab0c4-7f3a-7000-8000-000000000001',
    }),
    cacheControl: 'private, no-cache',
    contentDisposition: 'attachment',
    contentEncoding: 'gzip',
    expires: 'Tue, 24 Nov 2026 10:00:00 GMT',
    contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
    etag: '5D41402ABC4B2A76B9719D911017C592',
    crc64: '18446744073709551615',
    objectType: 'normal',
    isDownloadForced: true,
    versionId: 'CAEQNhiBgM0BYiIDc4MGZjZGI2OTBjOTRmNTE5NmU5NmFhZjhjYmY0',
    lastModified: new Date('2026-11-23T10:00:00Z'),
  });
});

it('leaves undefined what the response lacks', () => {
  const required = new Set(['Content-Length', 'ETag', 'Last-Modified']);
  const removed = Object.keys(HEADERS).filter((name) => !required.has(name));
  expect(read(Object.fromEntries(removed.map((name) => [name, null])))).toStrictEqual({
    contentLength: 48_213,
    contentType: undefined,
    metadata: Object.create(null),
    cacheControl: undefined,
    contentDisposition: undefined,
    contentEncoding: undefined,
    expires: undefined,
    contentMd5: undefined,
    etag: '5D41402ABC4B2A76B9719D911017C592',
    crc64: undefined,
    objectType: 'unknown',
    isDownloadForced: false,
    versionId: undefined,
    lastModified: new Date('2026-11-23T10:00:00Z'),
  });
});

it.each([
  [{ 'Content-Length': '0' }, { contentLength: 0 }],
  [{ 'Content-Length': '53687091200000' }, { contentLength: 53_687_091_200_000 }],
  [{ ETag: '"9BB58F26192E4BA00F01E2E7B136BBD8-3"' }, { etag: '9BB58F26192E4BA00F01E2E7B136BBD8-3' }],
  [{ 'x-oss-hash-crc64ecma': '0' }, { crc64: '0' }],
  [{ 'x-oss-object-type': 'Multipart' }, { objectType: 'multipart' }],
  [{ 'x-oss-object-type': 'Appendable' }, { objectType: 'appendable' }],
  [{ 'x-oss-object-type': 'Symlink' }, { objectType: 'symlink' }],
  [{ 'x-oss-object-type': 'Other' }, { objectType: 'unknown' }],
  [{ 'x-oss-object-type': 'constructor' }, { objectType: 'unknown' }],
  [{ 'x-oss-version-id': 'null' }, { versionId: undefined }],
  [{ 'x-oss-force-download': 'false' }, { isDownloadForced: false }],
  [{ 'Content-Type': '' }, { contentType: '' }],
  [
    { 'Content-Disposition': Buffer.from('inline; filename=é').toString('latin1') },
    { contentDisposition: 'inline; filename=é' },
  ],
])('reads %j', (change, expected) => {
  expect(read(change)).toMatchObject(expected);
});

it.each([
  ['content-type', 'contentType'],
  ['cache-control', 'cacheControl'],
  ['content-disposition', 'contentDisposition'],
  ['content-encoding', 'contentEncoding'],
  ['expires', 'expires'],
] as const)('reads bytes in %s that are not UTF-8 as text that no grant has', (name, field) => {
  for (const value of ['gzip\u00ff', '\u0080', '\u00c3\u0028', '\u00ed\u00a0\u0080'])
    expect(read({ [name]: value })).toHaveProperty(field, expect.stringContaining('\ufffd'));
});

it('reads bytes in metadata that are not UTF-8 as text that no grant has', () => {
  expect(read({ 'x-oss-meta-album': 'a\u00c3\u0028' })).toMatchObject({ metadata: { album: 'a\ufffd(' } });
});

it('reads metadata with names of prototypes as metadata', () => {
  const object = read({ 'x-oss-meta-__proto__': 'a', 'x-oss-meta-constructor': 'b', 'x-oss-meta-': 'c' });
  if ('fault' in object) throw new Error(object.fault);
  expect(Object.entries(object.metadata).sort()).toStrictEqual([
    ['', 'c'],
    ['__proto__', 'a'],
    ['album', 'summer'],
    ['constructor', 'b'],
    ['upload-id', '019ab0c4-7f3a-7000-8000-000000000001'],
  ]);
});

describe.each([
  [
    'content-length',
    [
      null,
      '',
      '-1',
      '+1',
      '1.5',
      '1e3',
      '0x10',
      '007',
      'NaN',
      'Infinity',
      '9007199254740993',
      '99999999999999999',
      '48213, 48213',
    ],
  ],
  [
    'etag',
    [
      null,
      '',
      '""',
      '5D41',
      '"5D41',
      'W/"5D41"',
      '"5D41", "5D41"',
      '"5D\u00e941"',
      '"a b"',
      `"${'A'.repeat(129)}"`,
    ],
  ],
  [
    'last-modified',
    [
      null,
      '',
      'yesterday',
      '2026-11-23T10:00:00Z',
      '1795000000',
      'Mon, 23 Nov 2026 10:00:00 +0800',
      'Mon, 23 Nov 2026 25:00:00 GMT',
      'Mon, 23 Xxx 2026 10:00:00 GMT',
      `${HEADERS['Last-Modified']}, ${HEADERS['Last-Modified']}`,
    ],
  ],
  [
    'x-oss-hash-crc64ecma',
    ['', '-1', '18446744073709551616', '99999999999999999999', '1.0', '0x1f', '007', 'NaN', '1, 1'],
  ],
  [
    'content-md5',
    [
      '',
      'XUFAKrxLKna5cZ2REBfFkg',
      '5d41402abc4b2a76b9719d911017c592',
      `${HEADERS['Content-MD5']}, ${HEADERS['Content-MD5']}`,
    ],
  ],
  ['x-oss-version-id', ['', 'a b', 'a, b', '<script>', 'A'.repeat(256)]],
  ['x-oss-object-type', ['', 'Normal, Symlink', 'Normal;']],
] as const)('a response is not valid if %s is', (name, values) => {
  it.each(values)('%j', (value) => {
    expect(read({ [name]: value })).toStrictEqual({ fault: name });
  });
});
