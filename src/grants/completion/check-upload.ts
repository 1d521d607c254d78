import { ServiceError } from '../../errors.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { CallerContext } from '../grant.ts';
import type { LimitVerdict } from '../ports/limiter.ts';
import { clientOf } from '../prepared-storage.ts';
import { storageFailure } from '../storage-failure.ts';
import {
  type UnusableUpload,
  type UsableUpload,
  type UseUploadDependencies,
  useUpload,
} from '../use-upload.ts';
import { type Difference, differencesOf } from './compare-object.ts';
import type { CompleteRequest } from './request.ts';

/** The result of {@link checkUpload}. */
export type UploadCheck =
  | UnusableUpload
  | (UsableUpload & { readonly verdict: LimitVerdict | undefined } & (
        | { readonly outcome: 'stored'; readonly stored: StoredObject }
        | { readonly outcome: 'absent' }
        | { readonly outcome: 'mismatch'; readonly differences: readonly Difference[] }
        | { readonly outcome: 'error'; readonly error: ServiceError }
      ));

/**
 * Uses an upload id as {@link useUpload} does, and compares the object in the bucket with the
 * grant. Only an id that can be used leads to a call to the storage. A failure of the storage is a
 * value too, so that it has an audit line.
 * @throws ServiceError as {@link useUpload} does.
 */
export async function checkUpload(
  dependencies: UseUploadDependencies,
  context: CallerContext,
  { id, crc64 }: CompleteRequest,
): Promise<UploadCheck> {
  const use = await useUpload(dependencies, context, { id, isConfirmEnough: true });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage } = use;

  let stored: StoredObject | undefined;
  try {
    stored = await clientOf(context.storage, coverage.rule.target).headObject(granted.key);
  } catch (error) {
    return { ...use, outcome: 'error', error: rejectionByStorage(error) };
  }
  if (!stored) return { ...use, outcome: 'absent' };
  const differences = differencesOf(granted, stored, crc64);
  return differences.length === 0
    ? { ...use, outcome: 'stored', stored }
    : { ...use, outcome: 'mismatch', differences };
}

/**
 * The rejection for a call to the storage that failed.
 * @throws anything that is neither a failure of the storage nor a rejection: a bug.
 */
function rejectionByStorage(error: unknown): ServiceError {
  if (error instanceof StorageError) return storageFailure(error);
  if (error instanceof ServiceError) return error;
  throw error;
}
