import type { Clock } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import { type Coverage, decideCompletion } from '../../policy/decide-completion.ts';
import type { Rule } from '../../policy/policy.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { cannotContinueUploads } from '../cannot-continue.ts';
import type { CallerContext } from '../grant.ts';
import type { Limiter, LimitVerdict } from '../ports/limiter.ts';
import type { ServiceKeysSource } from '../ports/service-keys.ts';
import { clientOf } from '../prepared-storage.ts';
import { storageFailure } from '../storage-failure.ts';
import { type GrantedUpload, openUploadId } from '../upload-id.ts';
import { type Difference, differencesOf } from './compare-object.ts';
import type { CompleteRequest } from './request.ts';

/** Calls about uploads that a rule without `requestsPerMinute` allows a caller. */
export const CALLS_PER_MINUTE = 600;

/** Calls about uploads for each request that a rule allows. */
export const CALLS_PER_REQUEST = 10;

export type CompletionDependencies = {
  readonly serviceKeys: ServiceKeysSource;
  /** Whether every replica can open the ids of the others, or there is only one. */
  readonly canContinueUploads: boolean;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /**
   * Called when the caller may use the id, before the call is counted. Throws to reject it.
   */
  readonly beforeCheck?: () => void;
};

/** The upload of an id that the caller may use, and the rules that allow it. */
export type UsableUpload = { readonly granted: GrantedUpload; readonly coverage: Coverage };

/** The result of {@link checkUpload}. */
export type UploadCheck =
  /** `granted` is the upload of an id of this service that the caller may not use. */
  | { readonly outcome: 'invalid'; readonly granted: GrantedUpload | undefined }
  | (UsableUpload &
      (
        | { readonly outcome: 'expired' }
        | { readonly outcome: 'limited'; readonly verdict: LimitVerdict }
        | ({ readonly verdict: LimitVerdict | undefined } & (
            | { readonly outcome: 'stored'; readonly stored: StoredObject }
            | { readonly outcome: 'absent' }
            | { readonly outcome: 'mismatch'; readonly differences: readonly Difference[] }
            | { readonly outcome: 'error'; readonly error: ServiceError }
          ))
      ));

/**
 * Opens an upload id, decides whether the caller may use it, and compares the object in the bucket
 * with the grant. Only an id that passes everything before leads to a call to the storage. A
 * failure of the storage is a value too, so that it has an audit line.
 * @throws ServiceError `unavailable` if this replica cannot open the ids of the others.
 */
export async function checkUpload(
  { serviceKeys, canContinueUploads, limiter, clock, beforeCheck }: CompletionDependencies,
  { caller, policy, storage }: CallerContext,
  { id, crc64 }: CompleteRequest,
): Promise<UploadCheck> {
  if (!canContinueUploads)
    throw cannotContinueUploads(
      'The service cannot use upload ids at the moment; use the response of the storage instead.',
    );
  const granted = openUploadId(serviceKeys.current(), id);
  const coverage = granted && decideCompletion(policy, caller, granted);
  if (!granted || !coverage) return { outcome: 'invalid', granted };
  const upload = { granted, coverage };
  if (granted.expiresAt * 1000 <= clock().getTime()) return { outcome: 'expired', ...upload };
  beforeCheck?.();
  const verdict = await limiter.consume({
    rule: coverage.by.name,
    issuer: caller.issuer,
    subject: caller.subject,
    bytes: 0,
    limits: { callsPerMinute: callsPerMinute(coverage.by) },
  });
  if (verdict && !verdict.allowed) return { outcome: 'limited', ...upload, verdict };

  let stored: StoredObject | undefined;
  try {
    stored = await clientOf(storage, coverage.rule.target).headObject(granted.key);
  } catch (error) {
    return { outcome: 'error', ...upload, verdict, error: rejectionByStorage(error) };
  }
  if (!stored) return { outcome: 'absent', ...upload, verdict };
  const differences = differencesOf(granted, stored, crc64);
  return differences.length === 0
    ? { outcome: 'stored', ...upload, verdict, stored }
    : { outcome: 'mismatch', ...upload, verdict, differences };
}

/** The calls about uploads that a rule allows each caller per minute. */
function callsPerMinute({ limits: { requestsPerMinute } }: Pick<Rule, 'limits'>): number {
  return requestsPerMinute === undefined ? CALLS_PER_MINUTE : CALLS_PER_REQUEST * requestsPerMinute;
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
