import type { CallerContext } from '../grant.ts';
import { partsOf } from '../multipart/parts.ts';
import { clientOf } from '../prepared-storage.ts';
import { type UseUploadDependencies, useUpload } from '../use-upload.ts';
import { checkObject, type ObjectCheck } from './check-object.ts';
import { type PartProgress, partProgress } from './part-progress.ts';
import { partCallsDeadline, type UploadCall, withStorageFailure } from './upload-call.ts';

/** The result of {@link checkUpload}. */
export type UploadCheck = UploadCall<UploadState>;

type UploadState =
  | ObjectCheck
  /** The multipart upload is under way. */
  | ({ readonly outcome: 'open' } & PartProgress);

/**
 * Uses an upload id as {@link useUpload} does, and reports what the storage has of the upload: the
 * parts of a multipart upload that is under way, otherwise how the object compares with the grant.
 * Changes nothing. Only an id that can be used leads to a call to the storage. A failure of the
 * storage is a value too, so that it has an audit line.
 * @throws ServiceError as {@link useUpload} does.
 */
export async function checkUpload(
  dependencies: UseUploadDependencies,
  context: CallerContext,
  id: string,
): Promise<UploadCheck> {
  const use = await useUpload(dependencies, context, { id, isConfirmEnough: true });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage } = use;
  const { key, contentLength, multipart } = granted;
  const client = clientOf(context.storage, coverage.rule.target);
  return withStorageFailure(use, async (): Promise<UploadState> => {
    const deadline = partCallsDeadline(dependencies.clock);
    const listed = multipart && (await client.listParts({ key, uploadId: multipart.uploadId }, deadline));
    if (!listed) return checkObject(client, granted, undefined);
    return { outcome: 'open', ...partProgress(partsOf(contentLength.min, multipart.partSize), listed) };
  });
}
