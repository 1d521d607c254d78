import type { Clock } from '../clock.ts';
import { type Coverage, decideCompletion } from '../policy/decide-completion.ts';
import type { Rule } from '../policy/policy.ts';
import { cannotContinueUploads } from './cannot-continue.ts';
import type { CallerContext } from './grant.ts';
import type { Limiter, LimitVerdict } from './ports/limiter.ts';
import type { ServiceKeysSource } from './ports/service-keys.ts';
import { invalidRequest } from './request-faults.ts';
import { type GrantedMultipart, type GrantedUpload, openUploadId } from './upload-id.ts';

/** Calls about uploads that a rule without `requestsPerMinute` allows a caller. */
export const CALLS_PER_MINUTE = 600;

/** Calls about uploads for each request that a rule allows. */
export const CALLS_PER_REQUEST = 10;

export type UseUploadDependencies = {
  readonly serviceKeys: ServiceKeysSource;
  /** Whether every replica can open the ids of the others, or there is only one. */
  readonly canContinueUploads: boolean;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** Called when the caller may use the id, before the call is counted. Throws to reject it. */
  readonly beforeCheck?: () => void;
};

/** The upload of an id that the caller may use, and the rules that allow it. */
export type UsableUpload = { readonly granted: GrantedUpload; readonly coverage: Coverage };

/** An id that cannot be used. */
export type UnusableUpload =
  /** `granted` is the upload of an id of this service that the caller may not use. */
  | { readonly outcome: 'invalid'; readonly granted: GrantedUpload | undefined }
  | (UsableUpload &
      ({ readonly outcome: 'expired' } | { readonly outcome: 'limited'; readonly verdict: LimitVerdict }));

/** An upload whose id the caller has used: the call is counted. */
export type UsedUpload = UsableUpload & {
  /** Undefined if the calls are not limited. */
  readonly verdict: LimitVerdict | undefined;
};

/** The result of {@link useUpload}. */
export type UploadUse = UnusableUpload | (UsedUpload & { readonly outcome: 'usable' });

/**
 * Opens an upload id, decides whether the caller may use it now, and counts the call. An id that
 * cannot be used is a value, so that it has an audit line.
 * @param use.isConfirmEnough whether a rule with `confirm` lets a caller use the id of another one.
 * @param use.requireFit throws if the call does not fit the upload, so that it is not counted.
 * @throws ServiceError `unavailable` if this replica cannot open the ids of the others; and what
 *   `requireFit` and `beforeCheck` throw.
 */
export async function useUpload(
  { serviceKeys, canContinueUploads, limiter, clock, beforeCheck }: UseUploadDependencies,
  { caller, policy }: Pick<CallerContext, 'caller' | 'policy'>,
  use: {
    readonly id: string;
    readonly isConfirmEnough: boolean;
    readonly requireFit?: (granted: GrantedUpload) => void;
  },
): Promise<UploadUse> {
  if (!canContinueUploads)
    throw cannotContinueUploads(
      'The service cannot use upload ids at the moment; use the response of the storage instead.',
    );
  const granted = openUploadId(serviceKeys.current(), use.id);
  const coverage = granted && decideCompletion(policy, caller, granted, use);
  if (!granted || !coverage) return { outcome: 'invalid', granted };
  const upload = { granted, coverage };
  if (isExpired(granted, clock())) return { outcome: 'expired', ...upload };
  use.requireFit?.(granted);
  beforeCheck?.();
  const verdict = await countCall(limiter, coverage.by, caller);
  if (verdict && !verdict.allowed) return { outcome: 'limited', ...upload, verdict };
  return { outcome: 'usable', ...upload, verdict };
}

/** Whether the id of an upload has expired. */
export function isExpired({ expiresAt }: Pick<GrantedUpload, 'expiresAt'>, now: Date): boolean {
  return expiresAt * 1000 <= now.getTime();
}

/**
 * Returns what an upload id binds of a multipart upload, for calls that no other upload has.
 * @throws ServiceError `invalid_request` with `conflict` at `/id` for another transfer.
 */
export function requireMultipart({ multipart, transfer }: GrantedUpload): GrantedMultipart {
  if (multipart) return multipart;
  throw invalidRequest([
    () => ({
      pointer: '/id',
      code: 'conflict',
      detail: `id is that of an upload with the transfer ${transfer}; send the id of a multipart upload.`,
    }),
  ]);
}

/** Counts a call about an upload: one of a caller, under the rule that lets the caller make it. */
export function countCall(
  limiter: Limiter,
  rule: Pick<Rule, 'name' | 'limits'>,
  { issuer, subject }: GrantedUpload['caller'],
): ReturnType<Limiter['consume']> {
  const limits = { callsPerMinute: callsPerMinute(rule) };
  return limiter.consume({ rule: rule.name, issuer, subject, bytes: 0, limits });
}

/** The calls about uploads that a rule allows each caller per minute. */
export function callsPerMinute({ limits: { requestsPerMinute } }: Pick<Rule, 'limits'>): number {
  return requestsPerMinute === undefined ? CALLS_PER_MINUTE : CALLS_PER_REQUEST * requestsPerMinute;
}
