import type { Fault, MismatchCode } from '../../errors.ts';
import { GRANT_ID_METADATA } from '../../policy/grant-mark.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import { attributeDigests } from '../attribute-digests.ts';
import type { GrantedUpload } from '../upload-id.ts';

/** One difference between a stored object and its grant. It never names a stored value. */
export type Difference = Fault & { readonly code: MismatchCode };

/** The headers that are compared, by the pointer to each. */
const HEADERS = {
  cacheControl: 'Cache-Control',
  contentDisposition: 'Content-Disposition',
  contentEncoding: 'Content-Encoding',
  expires: 'Expires',
} as const;

/**
 * Lists everything in which a stored object differs from the upload that was granted; nothing if
 * the object is the result of the grant, unchanged.
 *
 * The object of another grant is reported as `other_upload`, and an object that was made in
 * another way, such as a symbolic link, as `object_type_not_allowed`. Nothing else is compared
 * then, because the differences would describe what somebody else stored. The pointer of any other
 * difference is the field of the upload request, or the name of the header in the same spelling
 * (`/expires`).
 *
 * `Last-Modified` is not compared. The grant id, in the key or in the metadata, is not known before
 * the grant, so an older object cannot have it. An exception is a request that was repeated with
 * its `Idempotency-Key`, whose object may be older than the last grant.
 * @param crc64 the CRC-64 of the bytes that the client sent, if it states one.
 */
export function differencesOf(
  granted: GrantedUpload,
  stored: StoredObject,
  crc64: string | undefined,
): readonly Difference[] {
  if (stored.metadata[GRANT_ID_METADATA] !== (granted.isMarked ? granted.grantId : undefined)) {
    const detail =
      'The object under this key is the result of another upload; request a new upload with another key.';
    return [difference('', 'other_upload', detail)];
  }
  // PutObject and PostObject make normal objects only, CompleteMultipartUpload no such object.
  if (stored.objectType !== (granted.multipart ? 'multipart' : 'normal')) {
    const detail = granted.multipart
      ? 'The object is a symbolic link, or was not sent in parts.'
      : 'The object is a symbolic link, or was not sent in one piece.';
    return [difference('', 'object_type_not_allowed', detail)];
  }
  return [
    ...contentDifferences(granted, stored),
    ...attributeDifferences(granted, stored),
    ...checksumDifferences(granted, stored, crc64),
  ];
}

function contentDifferences(
  { contentLength: { min, max }, contentType }: GrantedUpload,
  stored: StoredObject,
): readonly Difference[] {
  const differences: Difference[] = [];
  if (stored.contentLength < min || (max !== null && stored.contentLength > max)) {
    const detail = 'The object does not have the length that was granted.';
    differences.push(difference('/contentLength', 'content_length_mismatch', detail));
  }
  if (stored.contentType !== contentType) {
    const detail = 'The object does not have the content type that was granted.';
    differences.push(difference('/contentType', 'content_type_mismatch', detail));
  }
  return differences;
}

function attributeDifferences(granted: GrantedUpload, stored: StoredObject): readonly Difference[] {
  const digests = attributeDigests(stored);
  const differences: Difference[] = [];
  if (digests.metadata !== granted.attributes.metadata) {
    const detail = 'The object does not have exactly the metadata that was granted.';
    differences.push(difference('/metadata', 'metadata_mismatch', detail));
  }
  for (const field of Object.keys(HEADERS) as (keyof typeof HEADERS)[]) {
    if (digests[field] === granted.attributes[field]) continue;
    if (field === 'contentDisposition' && stored.isDownloadForced && stored[field] === 'attachment') continue;
    const detail = `The ${HEADERS[field]} of the object differs from what was granted.`;
    differences.push(difference(`/${field}`, 'header_mismatch', detail));
  }
  return differences;
}

function checksumDifferences(
  { contentMd5 }: GrantedUpload,
  stored: StoredObject,
  crc64: string | undefined,
): readonly Difference[] {
  const differences: Difference[] = [];
  if (contentMd5 !== undefined && !hasMd5(stored, contentMd5)) {
    const detail = 'The storage does not confirm that the object has the MD5 that was granted.';
    differences.push(difference('/contentMd5', 'checksum_mismatch', detail));
  }
  if (crc64 !== undefined && stored.crc64 !== crc64) {
    const detail = 'The storage does not confirm that the object has the CRC-64 that the client sent.';
    differences.push(difference('/crc64', 'checksum_mismatch', detail));
  }
  return differences;
}

/**
 * Whether the storage states this MD5, in base64. OSS states it as Content-MD5. Without one, an
 * ETag that is the MD5 in hex proves it, and any other ETag (with server-side encryption, for
 * example) proves nothing. OSS compared the MD5 when the upload was sent, but an object without a
 * proof may have been written in another way.
 */
function hasMd5(stored: StoredObject, contentMd5: string): boolean {
  if (stored.contentMd5 !== undefined) return stored.contentMd5 === contentMd5;
  return stored.etag.toLowerCase() === Buffer.from(contentMd5, 'base64').toString('hex');
}

function difference(pointer: string, code: MismatchCode, detail: string): Difference {
  return { pointer, code, detail };
}
