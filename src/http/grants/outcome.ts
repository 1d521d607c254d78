import { ServiceError, summarizeFaults } from '../../errors.ts';
import type { GrantOutcome } from '../../grants/grant.ts';
import { LIMITS, type LimitVerdict } from '../../grants/ports/limiter.ts';
import type { Decided } from '../../grants/ports/observer.ts';
import type { FailedUpload } from '../../grants/upload/issue-upload.ts';
import type { Violation } from '../../policy/rule-violations.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { limitReachedHeaders } from './limit-headers.ts';

type Outcome = GrantOutcome<unknown> | FailedUpload;
type Rejected = Exclude<Outcome, { readonly outcome: 'granted' }>;

/** The status of the response to an outcome. */
export function statusOf(result: Outcome, grantedStatus: number): number {
  switch (result.outcome) {
    case 'granted':
      return grantedStatus;
    case 'limited':
      return PROBLEMS.rate_limited.status;
    case 'denied':
      return PROBLEMS.policy_denied.status;
    case 'exists':
    case 'error':
      return PROBLEMS[result.error.code].status;
  }
}

/**
 * The stable codes of an outcome: what the policy does not allow, the limit that was reached, or
 * the error of the storage; none for a grant.
 */
export function reasonsOf(result: Outcome): readonly string[] {
  switch (result.outcome) {
    case 'granted':
      return [];
    case 'limited':
      return [result.verdict.limitedBy];
    case 'denied':
      return [...new Set(result.violations.map(({ code }) => code))];
    case 'exists':
    case 'error':
      return [result.error.code];
  }
}

/** An outcome as the metrics count it. */
export function decisionOf(result: Outcome): Decided {
  const rule = result.outcome === 'limited' ? result.grant.rule.name : result.rule;
  return { outcome: result.outcome, rule, reasons: reasonsOf(result) };
}

/** The error that becomes the response to an outcome without a grant. */
export function rejectionOf(result: Rejected): ServiceError {
  switch (result.outcome) {
    case 'limited':
      return limitReached(result.verdict);
    case 'denied':
      return deniedBy(result.violations);
    case 'exists':
    case 'error':
      return result.error;
  }
}

/** The 403 of these violations. */
export function deniedBy(violations: readonly Violation[]): ServiceError {
  return new ServiceError('policy_denied', summarizeFaults(violations), { errors: violations });
}

/** The 429 of a request that would exceed a limit of its rule. */
export function limitReached(verdict: LimitVerdict): ServiceError {
  const { limitedBy, limit, resetInSeconds } = verdict;
  const label = LIMITS.find(({ name }) => name === limitedBy)?.label;
  return new ServiceError(
    'rate_limited',
    `The limit of ${limit} ${label} is reached; try again in ${resetInSeconds} seconds.`,
    { headers: limitReachedHeaders(verdict) },
  );
}
