import { attributeDigests } from '../../src/grants/attribute-digests.ts';
import type { GrantedUpload } from '../../src/grants/upload-id.ts';
import type { ObjectAttributes, StoredObject, StoredPart } from '../../src/storage/object-storage.ts';
import { now } from './fixed-clock.ts';

export const GRANT_ID = '019ab000-0000-7000-8000-00000000000a';

/** The attributes that {@link grantedUpload} grants and {@link storedObject} has. */
export const ATTRIBUTES: ObjectAttributes = {
  metadata: { album: 'holiday', camera: 'x100' },
  cacheControl: 'private, no-cache',
  contentDisposition: 'attachment',
  contentEncoding: undefined,
  expires: undefined,
};

/** An upload whose key `alice` chose, granted at the frozen instant. */
export function grantedUpload(fields: Partial<GrantedUpload> = {}): GrantedUpload {
  const issuedAt = now.getTime() / 1000;
  return {
    grantId: GRANT_ID,
    transfer: 'put',
    rule: 'own-files',
    target: 'media',
    bucket: 'acme-media',
    region: 'cn-hangzhou',
    key: 'users/alice/photo.png',
    isMarked: true,
    contentLength: { min: 5, max: 5 },
    contentType: 'image/png',
    contentMd5: undefined,
    attributes: attributeDigests(ATTRIBUTES),
    multipart: undefined,
    caller: { issuer: 'https://login.test/', subject: 'alice' },
    issuedAt,
    expiresAt: issuedAt + 600 + 86_400,
    ...fields,
  };
}

/** A multipart upload of `alice` in two parts of 100 bytes and one of 50. */
export function grantedMultipart(fields: Partial<GrantedUpload> = {}): GrantedUpload {
  return grantedUpload({
    transfer: 'multipart',
    contentLength: { min: 250, max: 250 },
    multipart: { uploadId: '0004B9894A22E5B1888A1E29F8236E2D', partSize: 100, overwrite: false },
    ...fields,
  });
}

/** The parts of {@link grantedMultipart}, as the storage lists them. */
export const STORED_PARTS: readonly StoredPart[] = [
  { partNumber: 1, contentLength: 100, etag: 'E1' },
  { partNumber: 2, contentLength: 100, etag: 'E2' },
  { partNumber: 3, contentLength: 50, etag: 'E3' },
];

/** The object of {@link grantedMultipart}, as the storage describes it. */
export function assembledObject(fields: Partial<StoredObject> = {}): StoredObject {
  return storedObject({
    contentLength: 250,
    contentMd5: undefined,
    etag: '3858F62230AC3C915F300C664312C11F-3',
    objectType: 'multipart',
    ...fields,
  });
}

/** The object of {@link grantedUpload} with the bytes `hello`, as the storage describes it. */
export function storedObject({ metadata = {}, ...fields }: Partial<StoredObject> = {}): StoredObject {
  return {
    ...ATTRIBUTES,
    metadata: { ...ATTRIBUTES.metadata, 'upload-id': GRANT_ID, ...metadata },
    contentLength: 5,
    contentType: 'image/png',
    contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
    etag: '5D41402ABC4B2A76B9719D911017C592',
    crc64: '14078989528371189546',
    objectType: 'normal',
    isDownloadForced: false,
    versionId: undefined,
    lastModified: new Date(now.getTime() + 1000),
    ...fields,
  };
}
