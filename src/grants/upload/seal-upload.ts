import type { Caller } from '../../auth/caller.ts';
import type { GrantedObject } from '../../policy/decide-upload.ts';
import { isMarked } from '../../policy/grant-mark.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { ObjectUpload } from '../../storage/object-storage.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import type { ServiceKeysSource } from '../ports/service-keys.ts';
import { digestsOf, type PreparedStorage } from '../prepared-storage.ts';
import { type GrantedMultipart, type GrantedUpload, sealUploadId } from '../upload-id.ts';

/** The part of a request that its upload id binds, and the keys. */
export type SealingContext = {
  readonly serviceKeys: ServiceKeysSource;
  readonly storage: PreparedStorage;
  readonly caller: Pick<Caller, 'issuer' | 'subject'>;
  readonly request: UploadRequest;
};

export type SealedId = { readonly id: string; readonly idExpiresAt: string };

/** The fields of an upload id that the decision does not have. */
export type SealedUpload = {
  readonly upload: Omit<ObjectUpload, 'contentLength'>;
  /** Bytes; `max` is null if any length of at least `min` is granted. */
  readonly contentLength: GrantedUpload['contentLength'];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly multipart?: GrantedMultipart;
};

/**
 * Returns the upload id of a granted upload, and its expiry.
 * @throws UploadIdTooLong if the multipart upload ID is too long.
 */
export function sealUpload(
  { serviceKeys, storage, caller, request }: SealingContext,
  { rule, key, grantId }: GrantedObject,
  { upload, contentLength, issuedAt, expiresAt, multipart }: SealedUpload,
): SealedId {
  const id = sealUploadId(serviceKeys.current().signing, {
    grantId,
    transfer: request.transfer,
    rule: rule.name,
    target: rule.target.name,
    bucket: rule.target.bucket,
    region: rule.target.region,
    key,
    isMarked: isMarked(rule, request),
    contentLength,
    contentType: upload.contentType,
    contentMd5: upload.contentMd5,
    attributes: digestsOf(storage, rule, upload),
    multipart,
    caller,
    issuedAt,
    expiresAt,
  });
  return { id, idExpiresAt: isoSeconds(expiresAt) };
}
