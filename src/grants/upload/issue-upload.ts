import { decideUpload, type GrantedObject } from '../../policy/decide-upload.ts';
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
import { callbackUrl } from '../callback/callback-url.ts';
import {
  type CallerContext,
  type GrantDependencies,
  type GrantOutcome,
  type GrantRequest,
  issueGrant,
} from '../grant.ts';
import type { ServiceKeysSource } from '../ports/service-keys.ts';
import { uploadsOf } from '../prepared-storage.ts';
import type { Validity } from '../signing.ts';
import type { GrantedUpload } from '../upload-id.ts';
import { type BegunMultipart, beginMultipart } from './begin-multipart.ts';
import { idempotentGrantId } from './idempotent-grant-id.ts';
import { formUpload, objectUpload } from './object-upload.ts';
import type { UploadGrant } from './response.ts';
import { type SealedId, sealUpload } from './seal-upload.ts';

export type IssueUploadDependencies = GrantDependencies & {
  /** Creates the id of a grant, which is part of a server-made key: a UUID. */
  readonly newGrantId: () => string;
  readonly serviceKeys: ServiceKeysSource;
  /** The address of the service, which callbacks are sent to. */
  readonly publicUrl: string;
  /** {@link presignUpload}, or a wrapper that measures its duration. */
  readonly presign?: typeof presignUpload;
  /** {@link presignForm}, or a wrapper that measures its duration. */
  readonly signForm?: typeof presignForm;
};

export type UploadOutcome = GrantOutcome<UploadGrant, GrantedObject> | FailedUpload;

/** A multipart upload that is allowed and counted, but that the storage did not begin. */
export type FailedUpload = Exclude<BegunMultipart, { readonly outcome: 'granted' }> & {
  readonly rule: string;
  readonly grant: GrantedObject;
};

/** How long the upload id of a PUT or a form outlives its URL, in seconds. */
const UPLOAD_ID_MARGIN_SECONDS = 86_400;

/**
 * Decides whether the caller may upload this object. If so, it signs the PUT or the form, or begins
 * the multipart upload, whose parts are signed later.
 * @param idempotencyKey the same request of the same caller with the same key is granted the same
 *   object key and grant id. Not for a multipart upload.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export function issueUpload(
  dependencies: IssueUploadDependencies,
  { caller, policy, storage }: CallerContext,
  request: UploadRequest,
  idempotencyKey?: string,
): Promise<UploadOutcome> {
  const { newGrantId, serviceKeys, publicUrl, clock } = dependencies;
  const { presign = presignUpload, signForm = presignForm } = dependencies;
  const sealing = { serviceKeys, storage, caller, request };
  return request.transfer === 'multipart' ? issueMultipart() : issue(signUpload);

  function issue<Response>(
    sign: GrantRequest<Response, GrantedObject>['sign'],
  ): Promise<GrantOutcome<Response, GrantedObject>> {
    return issueGrant(dependencies, {
      caller,
      decision: decideUpload(policy, caller, request, grantIdOf),
      bytes: request.contentLength ?? request.maxContentLength ?? 0,
      expiresIn: request.expiresIn,
      sign,
    });
  }

  function signUpload(grant: GrantedObject, signing: Signing, validity: Validity): UploadGrant {
    const { rule } = grant;
    const uploads = uploadsOf(storage, rule);
    if (request.transfer === 'form') {
      const upload = formUpload(rule, request, grant);
      const id = sealId(grant, upload, upload.contentLength, signing);
      const signed = signForm(uploads, withCallback(rule, upload, id), signing);
      return describeGrant('form', signed, id, grant, request, validity);
    }
    const upload = objectUpload(rule, request, grant);
    const { contentLength } = upload;
    const id = sealId(grant, upload, { min: contentLength ?? 0, max: contentLength ?? null }, signing);
    const signed = presign(uploads, withCallback(rule, upload, id), signing);
    return describeGrant('put', signed, id, grant, request, validity);
  }

  /** Adds the callback of a rule that has one. Other uploads stay as they are. */
  function withCallback<Upload extends ObjectUpload | FormUpload>(
    rule: Rule,
    upload: Upload,
    sealed: SealedId | undefined,
  ): Upload {
    if (!rule.callback || sealed === undefined) return upload;
    return { ...upload, callback: { url: callbackUrl(publicUrl), id: sealed.id } };
  }

  async function issueMultipart(): Promise<UploadOutcome> {
    // Nothing is signed here. The grant is complete when the storage has begun the upload.
    const admitted = await issue(() => undefined);
    if (admitted.outcome !== 'granted') return admitted;
    const begun = await beginMultipart({ ...sealing, clock }, admitted.grant);
    if (begun.outcome === 'granted') return { ...admitted, response: begun.response };
    return { ...begun, rule: admitted.rule, grant: admitted.grant };
  }

  function grantIdOf(rule: Rule): string {
    if (idempotencyKey === undefined) return newGrantId();
    const { idempotencyMac } = serviceKeys.current().signing;
    return idempotentGrantId(idempotencyMac, { caller, rule: rule.name, request, idempotencyKey });
  }

  /** Returns the upload id and its expiry; undefined for a rule without receipts. */
  function sealId(
    grant: GrantedObject,
    upload: Omit<ObjectUpload, 'contentLength'>,
    contentLength: GrantedUpload['contentLength'],
    { signedAt, expiresInSeconds }: Signing,
  ): SealedId | undefined {
    if (!grant.rule.receipts) return undefined;
    const issuedAt = Math.floor(signedAt.getTime() / 1000);
    const expiresAt = issuedAt + expiresInSeconds + UPLOAD_ID_MARGIN_SECONDS;
    return sealUpload(sealing, grant, { upload, contentLength, issuedAt, expiresAt });
  }
}

/**
 * Returns the response to a granted request. The fields are written out: an object of several
 * spreads takes 0.4 µs longer, most of it in `JSON.stringify`.
 */
function describeGrant<Transfer extends 'put' | 'form', Signed extends object>(
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
