import { expect, it } from 'vitest';
import { attributeDigests } from '../../../src/grants/attribute-digests.ts';
import { differencesOf } from '../../../src/grants/completion/compare-object.ts';
import type { GrantedUpload } from '../../../src/grants/upload-id.ts';
import { TRANSFERS } from '../../../src/policy/actions.ts';
import type { ObjectAttributes, StoredObject } from '../../../src/storage/object-storage.ts';
import { now } from '../../support/fixed-clock.ts';
import {
  ATTRIBUTES,
  assembledObject,
  GRANT_ID,
  grantedMultipart,
  grantedUpload,
  storedObject,
} from '../../support/granted-upload.ts';

/** The pointer and the code of each difference. */
function compare(
  granted: Partial<GrantedUpload> = {},
  stored: Partial<StoredObject> | StoredObject = {},
  crc64?: string,
): readonly string[] {
  const object = 'lastModified' in stored ? (stored as StoredObject) : storedObject(stored);
  return differencesOf(grantedUpload(granted), object, crc64).map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );
}

/** The stored object without some of its members. */
const without = (metadataName: string): StoredObject => {
  const { [metadataName]: _, ...metadata } = storedObject().metadata;
  return { ...storedObject(), metadata };
};

const granting = (fields: Partial<ObjectAttributes>) => ({
  attributes: attributeDigests({ ...ATTRIBUTES, ...fields }),
});

const MD5 = 'XUFAKrxLKna5cZ2REBfFkg==';

it.each<[string, Partial<GrantedUpload>, Partial<StoredObject>, string?]>([
  ['the object of the grant', {}, {}],
  ['its CRC-64', {}, {}, '14078989528371189546'],
  ['its MD5 as Content-MD5', { contentMd5: MD5 }, {}],
  ['its MD5 as Content-MD5 with another ETag', { contentMd5: MD5 }, { etag: 'A1-2' }],
  ['its MD5 as the ETag alone', { contentMd5: MD5 }, { contentMd5: undefined }],
  [
    'the ETag in lower case',
    { contentMd5: MD5 },
    { contentMd5: undefined, etag: '5d41402abc4b2a76b9719d911017c592' },
  ],
  ['no MD5 where none was granted', {}, { contentMd5: undefined, etag: 'A1-2' }],
  ['no CRC-64 where the client sends none', {}, { crc64: undefined }],
  ['the least length of a range', { contentLength: { min: 5, max: 9 } }, {}],
  ['the greatest length of a range', { contentLength: { min: 0, max: 5 } }, {}],
  ['any length where any was granted', { contentLength: { min: 0, max: null } }, { contentLength: 2 ** 40 }],
  ['metadata names in another order', granting({ metadata: { camera: 'x100', album: 'holiday' } }), {}],
  [
    'granted headers',
    granting({ contentEncoding: 'gzip', expires: 'Thu, 01 Dec 2026 16:00:00 GMT' }),
    {
      contentEncoding: 'gzip',
      expires: 'Thu, 01 Dec 2026 16:00:00 GMT',
    },
  ],
  [
    'attachment where the storage forces downloads',
    granting({ contentDisposition: 'inline' }),
    { isDownloadForced: true },
  ],
  ['a version', {}, { versionId: 'v1' }],
])('accepts %s', (_title, granted, stored, crc64) => {
  expect(compare(granted, stored, crc64)).toStrictEqual([]);
});

it.each<[string, Partial<GrantedUpload>, Partial<StoredObject> | StoredObject, string, string?]>([
  ['one byte more', {}, { contentLength: 6 }, '/contentLength content_length_mismatch'],
  ['one byte less', {}, { contentLength: 4 }, '/contentLength content_length_mismatch'],
  [
    'more than the range',
    { contentLength: { min: 0, max: 4 } },
    {},
    '/contentLength content_length_mismatch',
  ],
  [
    'less than the range',
    { contentLength: { min: 6, max: 9 } },
    {},
    '/contentLength content_length_mismatch',
  ],
  ['another type', {}, { contentType: 'image/jpeg' }, '/contentType content_type_mismatch'],
  ['the type in another case', {}, { contentType: 'Image/png' }, '/contentType content_type_mismatch'],
  ['the type with a parameter', {}, { contentType: 'image/png; q=1' }, '/contentType content_type_mismatch'],
  ['no type', {}, { contentType: undefined }, '/contentType content_type_mismatch'],
  ['one more entry of metadata', {}, { metadata: { more: '1' } }, '/metadata metadata_mismatch'],
  ['one more entry that is empty', {}, { metadata: { more: '' } }, '/metadata metadata_mismatch'],
  ['one entry of metadata less', {}, without('album'), '/metadata metadata_mismatch'],
  ['another value', {}, { metadata: { album: 'work' } }, '/metadata metadata_mismatch'],
  ['a value in another case', {}, { metadata: { album: 'Holiday' } }, '/metadata metadata_mismatch'],
  ['a value with a blank', {}, { metadata: { album: 'holiday ' } }, '/metadata metadata_mismatch'],
  ['another Cache-Control', {}, { cacheControl: 'public' }, '/cacheControl header_mismatch'],
  ['no Cache-Control', {}, { cacheControl: undefined }, '/cacheControl header_mismatch'],
  [
    'another Content-Disposition',
    {},
    { contentDisposition: 'inline' },
    '/contentDisposition header_mismatch',
  ],
  ['no Content-Disposition', {}, { contentDisposition: undefined }, '/contentDisposition header_mismatch'],
  ['a Content-Encoding', {}, { contentEncoding: 'gzip' }, '/contentEncoding header_mismatch'],
  ['an Expires', {}, { expires: '0' }, '/expires header_mismatch'],
  ['an empty Content-Encoding', {}, { contentEncoding: '' }, '/contentEncoding header_mismatch'],
  [
    'an attachment where the storage forces nothing',
    granting({ contentDisposition: 'inline' }),
    {},
    '/contentDisposition header_mismatch',
  ],
  [
    'another Content-Disposition where the storage forces downloads',
    {},
    { contentDisposition: 'inline', isDownloadForced: true },
    '/contentDisposition header_mismatch',
  ],
  [
    'another MD5',
    { contentMd5: MD5 },
    { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
    '/contentMd5 checksum_mismatch',
  ],
  [
    'another MD5 with a granted ETag',
    { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
    { etag: 'D41D8CD98F00B204E9800998ECF8427E' },
    '/contentMd5 checksum_mismatch',
  ],
  [
    'no MD5 and an ETag that is another MD5',
    { contentMd5: MD5 },
    { contentMd5: undefined, etag: 'D41D8CD98F00B204E9800998ECF8427E' },
    '/contentMd5 checksum_mismatch',
  ],
  [
    'no MD5 and an ETag that is none',
    { contentMd5: MD5 },
    { contentMd5: undefined, etag: '8F2A3C4D-1' },
    '/contentMd5 checksum_mismatch',
  ],
  ['another CRC-64', {}, {}, '/crc64 checksum_mismatch', '14078989528371189547'],
  ['no CRC-64', {}, { crc64: undefined }, '/crc64 checksum_mismatch', '14078989528371189546'],
  ['a symbolic link', {}, { objectType: 'symlink' }, ' object_type_not_allowed'],
  ['parts that were assembled', {}, { objectType: 'multipart' }, ' object_type_not_allowed'],
  ['an object that was appended to', {}, { objectType: 'appendable' }, ' object_type_not_allowed'],
  ['a type that is not known', {}, { objectType: 'unknown' }, ' object_type_not_allowed'],
  ['the object of another grant', {}, { metadata: { 'upload-id': 'other' } }, ' other_upload'],
  [
    'the grant id in another case',
    {},
    { metadata: { 'upload-id': GRANT_ID.toUpperCase() } },
    ' other_upload',
  ],
  ['an object without the grant id', {}, without('upload-id'), ' other_upload'],
  ['an object with a grant id where the service made the key', { isMarked: false }, {}, ' other_upload'],
])('names %s', (_title, granted, stored, difference, crc64) => {
  for (const transfer of TRANSFERS)
    expect(compare({ ...granted, transfer }, stored, crc64)).toStrictEqual([difference]);
});

it('accepts the object of a key that the service made, which has no grant id', () => {
  expect(compare({ isMarked: false }, without('upload-id'))).toStrictEqual([]);
});

it('names everything that differs at once, in one order, and no stored value', () => {
  const stored = storedObject({
    contentLength: 77_777,
    contentType: 'stored/type',
    metadata: { album: 'stored-album' },
    cacheControl: 'stored-cache',
    contentDisposition: 'stored-disposition',
    contentEncoding: 'stored-encoding',
    expires: 'stored-expires',
    contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
    etag: 'STOREDETAG',
    crc64: '77777',
    versionId: 'stored-version',
  });
  const differences = differencesOf(grantedUpload({ contentMd5: MD5 }), stored, '1');
  expect(differences.map(({ pointer }) => pointer)).toStrictEqual([
    '/contentLength',
    '/contentType',
    '/metadata',
    '/cacheControl',
    '/contentDisposition',
    '/contentEncoding',
    '/expires',
    '/contentMd5',
    '/crc64',
  ]);
  expect(JSON.stringify(differences)).not.toMatch(/stored-|stored\/|77777|77_777|1B2M|STORED/);
});

it.each(['normal', 'appendable', 'symlink', 'unknown'] as const)(
  'accepts an object that was sent in parts for a multipart upload, and rejects the type %s',
  (objectType) => {
    expect(differencesOf(grantedMultipart(), assembledObject(), '14078989528371189546')).toStrictEqual([]);
    expect(differencesOf(grantedMultipart(), assembledObject({ objectType }), undefined)).toStrictEqual([
      {
        pointer: '',
        code: 'object_type_not_allowed',
        detail: 'The object is a symbolic link, or was not sent in parts.',
      },
    ]);
  },
);

it.each<[string, Partial<StoredObject>, string]>([
  ['the object of another grant', { metadata: { 'upload-id': 'other' } }, 'other_upload'],
  ['a symbolic link', { objectType: 'symlink' }, 'object_type_not_allowed'],
])('discloses nothing else about %s, whatever else differs', (_title, fields, code) => {
  const stored = storedObject({
    contentLength: 1,
    contentType: 'a/b',
    cacheControl: 'x',
    etag: 'y',
    ...fields,
  });
  const differences = differencesOf(grantedUpload({ contentMd5: MD5 }), stored, '1');
  expect(differences.map((one) => one.code)).toStrictEqual([code]);
  expect(differences[0]?.pointer).toBe('');
});

it('reports the object of another grant as such, even if it is a symbolic link', () => {
  const stored = storedObject({ metadata: { 'upload-id': 'other' }, objectType: 'symlink' });
  expect(compare({}, stored)).toStrictEqual([' other_upload']);
});

// A request that was repeated with its Idempotency-Key has the grant id of the first grant, whose upload may be done.
it('accepts an object that is older than the last grant with its id', () => {
  const lastModified = new Date(now.getTime() - 86_400_000);
  expect(compare({}, storedObject({ lastModified }))).toStrictEqual([]);
});
