import type { Clock } from '../../clock.ts';
import type { ServiceError } from '../../errors.ts';
import { rejectionByStorage } from '../storage-failure.ts';
import type { UnusableUpload, UsedUpload } from '../use-upload.ts';

/** The storage or the source of the credentials prevents the call. */
type FailedCall = { readonly outcome: 'error'; readonly error: ServiceError };

/** The end of a call about an upload: `Found`, unless the id or the storage prevents it. */
export type UploadCall<Found> = UnusableUpload | (UsedUpload & (Found | FailedCall));

/**
 * How long the calls about the parts of an upload may take together, in milliseconds. A request has
 * to end within 75 s, because load balancers wait no longer. Before these calls, it can take 5 s to
 * fetch the keys of an issuer, and 0.5 s to count against limits. After them, `headObject` can take
 * 5 s.
 */
const PART_CALLS_WITHIN_MS = 61_000;

/**
 * When the calls about the parts of an upload have to end.
 * @param reservedMs the milliseconds that the request needs after `headObject`.
 */
export function partCallsDeadline(clock: Clock, reservedMs = 0): Date {
  return new Date(clock().getTime() + PART_CALLS_WITHIN_MS - reservedMs);
}

/**
 * Adds to an upload what the calls to the storage found, or why they failed.
 * @throws whatever is neither a failure of the storage nor a rejection: a bug.
 */
export async function withStorageFailure<Found extends { readonly outcome: string }>(
  { granted, coverage, verdict }: UsedUpload,
  callStorage: () => Promise<Found>,
): Promise<UsedUpload & (Found | FailedCall)> {
  const used = { granted, coverage, verdict };
  try {
    return { ...used, ...(await callStorage()) };
  } catch (error) {
    return { ...used, outcome: 'error', error: rejectionByStorage(error) };
  }
}
