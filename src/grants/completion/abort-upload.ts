import type { CallerContext } from '../grant.ts';
import { clientOf } from '../prepared-storage.ts';
import { requireMultipart, type UseUploadDependencies, useUpload } from '../use-upload.ts';
import { type UploadCall, withStorageFailure } from './upload-call.ts';

/** The result of {@link abortUpload}. */
export type UploadAbort = UploadCall<{ readonly outcome: 'aborted' }>;

/**
 * Removes a multipart upload that is under way, with its parts, for the caller that it was granted
 * to. It succeeds if there is no such upload any more, and does not remove the object of one that
 * was completed. A failure of the storage is a value, so that it has an audit line.
 * @throws ServiceError `invalid_request` for an upload of another transfer; and as
 *   {@link useUpload} does.
 */
export async function abortUpload(
  dependencies: UseUploadDependencies,
  context: CallerContext,
  id: string,
): Promise<UploadAbort> {
  const use = await useUpload(dependencies, context, {
    id,
    isConfirmEnough: false,
    requireFit: requireMultipart,
  });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage } = use;
  const { uploadId } = requireMultipart(granted);
  const client = clientOf(context.storage, coverage.rule.target);
  return withStorageFailure(use, async () => {
    await client.abortMultipartUpload({ key: granted.key, uploadId });
    return { outcome: 'aborted' } as const;
  });
}
