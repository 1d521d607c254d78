import type { LimitVerdict } from '../../grants/ports/limiter.ts';

/**
 * The state of a limit as response headers, with the names that clients and proxies know
 * (draft-ietf-httpapi-ratelimit-headers-06).
 */
export function limitHeaders({ limit, remaining, resetInSeconds }: LimitVerdict): Record<string, string> {
  return {
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': String(remaining),
    'RateLimit-Reset': String(resetInSeconds),
  };
}

/** The headers of a 429: when to try again, and the state of the limit. */
export function limitReachedHeaders(verdict: LimitVerdict): Record<string, string> {
  return { 'Retry-After': String(verdict.resetInSeconds), ...limitHeaders(verdict) };
}
