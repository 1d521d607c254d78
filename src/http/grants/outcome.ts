import { ServiceError, summarizeFaults } from '../../errors.ts';
import type { GrantOutcome } from '../../grants/grant.ts';
import { LIMITS, type LimitVerdict } from '../../grants/ports/limiter.ts';
import type { Decided } from '../../grants/ports/observer.ts';
import type { Violation } from '../../policy/rule-violations.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { limitReachedHeaders } from './limit-headers.ts';

type Rejected = Exclude<GrantOutcome<unknown>, { readonly outcome: 'granted' }>;

/** The status of the response to an outcome. */
export function statusOf({ outcome }: GrantOutcome<unknown>, grantedStatus: number): number {
  switch (outcome) {
    case 'granted':
      return grantedStatus;
    case 'limited':
      return PROBLEMS.rate_limited.status;
    case 'denied':
      return PROBLEMS.policy_denied.status;
  }
}

/**
 * The stable codes of an outcome: what the policy does not allow, or the limit that was reached;
 * none for a grant.
 */
export function reasonsOf(result: GrantOutcome<unknown>): readonly string[] {
  if (result.outcome === 'granted') return [];
  if (result.outcome === 'limited') return [result.verdict.limitedBy];
  return [...new Set(result.violations.map(({ code }) => code))];
}

/** An outcome as the metrics count it. */
export function decisionOf(result: GrantOutcome<unknown>): Decided {
  const rule = result.outcome === 'limited' ? result.grant.rule.name : result.rule;
  return { outcome: result.outcome, rule, reasons: reasonsOf(result) };
}

/** The error that becomes the 403 or 429 of an outcome without a grant. */
export function rejectionOf(result: Rejected): ServiceError {
  return result.outcome === 'limited' ? limitReached(result.verdict) : deniedBy(result.violations);
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
