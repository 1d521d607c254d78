import { decideUpload } from '../../policy/decide-upload.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type {
  FormUpload,
  ObjectUpload,
  PreparedUploads,
  PresignedForm,
  PresignedUpload,
  Signing,
} from '../../storage/object-storage.ts';
import { type CallerContext, type GrantDependencies, type GrantOutcome, issueGrant } from '../grant.ts';
import { uploadsOf } from '../prepared-storage.ts';
import { formUpload, objectUpload } from './object-upload.ts';
import type { UploadGrant } from './response.ts';

export type IssueUploadDependencies = GrantDependencies & {
  /** Creates the id of a server-made key. */
  readonly newObjectId: () => string;
  /** {@link presignUpload}, or a wrapper that measures its duration. */
  readonly presign?: typeof presignUpload;
  /** {@link presignForm}, or a wrapper that measures its duration. */
  readonly signForm?: typeof presignForm;
};

export type UploadOutcome = GrantOutcome<UploadGrant>;

/**
 * Decides whether the caller may upload this object, and signs the upload if so.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export function issueUpload(
  dependencies: IssueUploadDependencies,
  { caller, policy, storage }: CallerContext,
  request: UploadRequest,
): Promise<UploadOutcome> {
  const { newObjectId, presign = presignUpload, signForm = presignForm } = dependencies;
  return issueGrant(dependencies, {
    caller,
    decision: decideUpload(policy, caller, request, newObjectId),
    bytes: request.contentLength ?? request.maxContentLength ?? 0,
    expiresIn: request.expiresIn,
    sign({ rule, key }, signing, validity) {
      const { target } = rule;
      const uploads = uploadsOf(storage, rule);
      const common = {
        key,
        bucket: target.bucket,
        region: target.region,
        target: target.name,
        contentLength: request.contentLength ?? null,
        ...validity,
      };
      if (request.transfer === 'form') {
        const { method, url, fields, fileField } = signForm(uploads, formUpload(rule, request, key), signing);
        return { transfer: 'form', method, url, fields, fileField, ...common };
      }
      const { method, url, headers } = presign(uploads, objectUpload(rule, request, key), signing);
      return { transfer: 'put', method, url, headers, ...common };
    },
  });
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
