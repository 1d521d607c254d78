import type { Clock } from '../../clock.ts';
import type { ServiceError } from '../../errors.ts';
import type { GrantedObject } from '../../policy/decide-upload.ts';
import type { BucketClient, MultipartUpload } from '../../storage/object-storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import { choosePartSize } from '../multipart/part-size.ts';
import { partsOf } from '../multipart/parts.ts';
import { objectExists } from '../object-exists.ts';
import { clientOf, uploadsOf } from '../prepared-storage.ts';
import { rejectionByStorage } from '../storage-failure.ts';
import { UploadIdTooLong } from '../upload-id.ts';
import { objectUpload } from './object-upload.ts';
import type { MultipartGrant } from './response.ts';
import { type SealingContext, sealUpload } from './seal-upload.ts';

/** The result of {@link beginMultipart}. */
export type BegunMultipart =
  | { readonly outcome: 'granted'; readonly response: MultipartGrant }
  /** `exists`: there is an object under the key, which the upload may not replace. */
  | { readonly outcome: 'exists' | 'error'; readonly error: ServiceError };

/**
 * Begins a multipart upload in the bucket, and returns the grant with its upload id. A failure of
 * the storage is a value, so that it has an audit line.
 *
 * The grant can still fail after the storage has begun the upload: the response to the service can
 * be lost, or the audit line cannot be written. Such an upload has no parts, and the lifecycle rule
 * of the bucket removes it.
 */
export async function beginMultipart(
  context: SealingContext & { readonly clock: Clock },
  grant: GrantedObject,
): Promise<BegunMultipart> {
  const { storage, request, clock } = context;
  const { rule, key } = grant;
  const { contentLength = 0, ...upload } = objectUpload(rule, request, grant);
  const client = clientOf(storage, rule.target);
  let begun: MultipartUpload | 'object_exists';
  try {
    begun = await client.initiateMultipartUpload(key, uploadsOf(storage, rule).initiateHeaders(upload));
  } catch (error) {
    return { outcome: 'error', error: rejectionByStorage(error) };
  }
  if (begun === 'object_exists') return { outcome: 'exists', error: objectExists() };

  const partSize = choosePartSize(contentLength, request.partSize, rule.partSize);
  const multipart = { uploadId: begun.uploadId, partSize, overwrite: upload.overwrite };
  const issuedAt = Math.floor(clock().getTime() / 1000);
  const expiresAt = issuedAt + rule.uploadExpiresInSeconds;
  try {
    const length = { min: contentLength, max: contentLength };
    const sealed = sealUpload(context, grant, {
      upload,
      contentLength: length,
      issuedAt,
      expiresAt,
      multipart,
    });
    const { target } = rule;
    const response: MultipartGrant = {
      transfer: 'multipart',
      partSize,
      partCount: partsOf(contentLength, partSize).partCount,
      ...sealed,
      key,
      bucket: target.bucket,
      region: target.region,
      target: target.name,
      contentLength,
      expires: rule.uploadExpiresInSeconds,
      expiresAt: sealed.idExpiresAt,
      expiresLimitedBy: 'rule',
      serverTime: isoSeconds(issuedAt),
    };
    return { outcome: 'granted', response };
  } catch (error) {
    await abandon(client, begun);
    if (!(error instanceof UploadIdTooLong)) throw error;
    const cause = new StorageError('invalid_response', 'the multipart upload ID is too long');
    return { outcome: 'error', error: rejectionByStorage(cause) };
  }
}

/** Removes an upload that no client learns of. If it fails, the lifecycle rule removes it. */
async function abandon(client: BucketClient, upload: MultipartUpload): Promise<void> {
  try {
    await client.abortMultipartUpload(upload);
  } catch {
    // The failure that led here is reported. The metrics count this one.
  }
}
