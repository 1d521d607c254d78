import { decideUpload, type GrantedObject } from '../../policy/decide-upload.ts';
import { isMarked } from '../../policy/grant-mark.ts';
import type { Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type {
  FormUpload,
  ObjectUpload,
  PreparedUploads,
  PresignedForm,
  PresignedUpload,
  Signing,
} from '../../storage/object-storage.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import { type CallerContext, type GrantDependencies, type GrantOutcome, issueGrant } from '../grant.ts';
import type { ServiceKeysSource } from '../ports/service-keys.ts';
import { digestsOf, uploadsOf } from '../prepared-storage.ts';
import type { Validity } from '../signing.ts';
import { type GrantedUpload, sealUploadId } from '../upload-id.ts';
import { idempotentGrantId } from './idempotent-grant-id.ts';
import { formUpload, objectUpload } from './object-upload.ts';
import type { UploadGrant } from './response.ts';

export type IssueUploadDependencies = GrantDependencies & {
  /** Creates the id of a grant, which is part of a server-made key: a UUID. */
  readonly newGrantId: () => string;
  readonly serviceKeys: ServiceKeysSource;
  /** {@link presignUpload}, or a wrapper that measures its duration. */
  readonly presign?: typeof presignUpload;
  /** {@link presignForm}, or a wrapper that measures its duration. */
  readonly signForm?: typeof presignForm;
};

export type UploadOutcome = GrantOutcome<UploadGrant, GrantedObject>;

/** How long an upload id outlives its URL, in seconds. */
const UPLOAD_ID_MARGIN_SECONDS = 86_400;

/**
 * Decides whether the caller may upload this object, and signs the upload if so.
 * @param idempotencyKey the same request of the same caller with the same key is granted the same
 *   object key and grant id.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export function issueUpload(
  dependencies: IssueUploadDependencies,
  { caller, policy, storage }: CallerContext,
  request: UploadRequest,
  idempotencyKey?: string,
): Promise<UploadOutcome> {
  const { newGrantId, serviceKeys, presign = presignUpload, signForm = presignForm } = dependencies;
  return issueGrant(dependencies, {
    caller,
    decision: decideUpload(policy, caller, request, grantIdOf),
    bytes: request.contentLength ?? request.maxContentLength ?? 0,
    expiresIn: request.expiresIn,
    sign(grant, signing, validity) {
      const { rule } = grant;
      const uploads = uploadsOf(storage, rule);
      if (request.transfer === 'form') {
        const upload = formUpload(rule, request, grant);
        const signed = signForm(uploads, upload, signing);
        const id = sealId(grant, upload, upload.contentLength, signing);
        return describeGrant('form', signed, id, grant, request, validity);
      }
      const upload = objectUpload(rule, request, grant);
      const signed = presign(uploads, upload, signing);
      const { contentLength } = upload;
      const id = sealId(grant, upload, { min: contentLength ?? 0, max: contentLength ?? null }, signing);
      return describeGrant('put', signed, id, grant, request, validity);
    },
  });

  function grantIdOf(rule: Rule): string {
    if (idempotencyKey === undefined) return newGrantId();
    const { idempotencyMac } = serviceKeys.current().signing;
    return idempotentGrantId(idempotencyMac, { caller, rule: rule.name, request, idempotencyKey });
  }

  /** Returns the upload id and its expiry; undefined for a rule without receipts. */
  function sealId(
    { rule, key, grantId }: GrantedObject,
    upload: Omit<ObjectUpload, 'contentLength'>,
    contentLength: GrantedUpload['contentLength'],
    { signedAt, expiresInSeconds }: Signing,
  ): SealedId | undefined {
    if (!rule.receipts) return undefined;
    const issuedAt = Math.floor(signedAt.getTime() / 1000);
    const expiresAt = issuedAt + expiresInSeconds + UPLOAD_ID_MARGIN_SECONDS;
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
      multipart: undefined,
      caller,
      issuedAt,
      expiresAt,
    });
    return { id, idExpiresAt: isoSeconds(expiresAt) };
  }
}

type SealedId = { readonly id: string; readonly idExpiresAt: string };

/**
 * Returns the response to a granted request. The fields are written out: an object of several
 * spreads takes 0.4 µs longer, most of it in `JSON.stringify`.
 */
function describeGrant<Transfer extends UploadGrant['transfer'], Signed extends object>(
  transfer: Transfer,
  signed: Signed,
  sealed: SealedId | undefined,
  { rule: { target }, key }: GrantedObject,
  { contentLength }: UploadRequest,
  validity: Validity,
) {
  return {
    transfer,
    ...signed,
    id: sealed?.id,
    idExpiresAt: sealed?.idExpiresAt,
    key,
    bucket: target.bucket,
    region: target.region,
    target: target.name,
    contentLength: contentLength ?? null,
    expires: validity.expires,
    expiresAt: validity.expiresAt,
    expiresLimitedBy: validity.expiresLimitedBy,
    serverTime: validity.serverTime,
  };
}

/** Signs an upload. A separate function, so that a wrapper can measure its duration. */
export function presignUpload(
  uploads: PreparedUploads,
  upload: ObjectUpload,
  signing: Signing,
): PresignedUpload {
  return uploads.presign(upload, signing);
}

/** Signs a form. A separate function, so that a wrapper can measure its duration. */
export function presignForm(uploads: PreparedUploads, upload: FormUpload, signing: Signing): PresignedForm {
  return uploads.presignForm(upload, signing);
}
