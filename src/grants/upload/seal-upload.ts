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

/**
 * Returns the upload id of a granted upload, and its expiry.
 * @param issuedAt seconds since 1970, as is `expiresAt`.
 * @throws UploadIdTooLong if OSS's upload ID is too long.
 */
export function sealUpload(
  { serviceKeys, storage, caller, request }: SealingContext,
  { rule, key, grantId }: GrantedObject,
  upload: Omit<ObjectUpload, 'contentLength'>,
  contentLength: GrantedUpload['contentLength'],
  issuedAt: number,
  expiresAt: number,
  multipart?: GrantedMultipart,
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
