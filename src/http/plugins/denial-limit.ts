import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import type { DenialLimiter, LimitVerdict } from '../../grants/ports/limiter.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { limitReachedHeaders } from '../grants/limit-headers.ts';
import { PROBLEMS } from './problem-json.ts';

/**
 * Denials and invalid requests. A missing path or token has no verified caller; 429 and 5xx are not
 * the caller's mistake.
 */
const COUNTED_STATUSES: ReadonlySet<number> = new Set([400, 403, 413, 415]);

/**
 * Rejects every request of a caller that has used up its denials, before the body is read. Register
 * it after authentication and before any other check of the request.
 */
export function registerDenialLimit(app: FastifyInstance, denials: DenialLimiter): void {
  app.addHook('onRequest', ({ callerContext }, _reply, done) => {
    const exhausted = callerContext && denials.check(callerContext.caller);
    done(exhausted && tooManyDenials(exhausted));
  });
}

/**
 * Counts a rejection against its caller, if it is a denial or an invalid request, and logs a caller
 * that has reached the limit.
 * @returns the rejection itself, or the 429 that takes its place: requests that were open at the
 *   same time get no more than the limit.
 */
export function countDenial(
  denials: DenialLimiter,
  logger: Pick<ServiceLogger, 'warn'>,
  { callerContext }: Pick<FastifyRequest, 'callerContext'>,
  rejection: ServiceError,
): ServiceError {
  if (!callerContext || !COUNTED_STATUSES.has(PROBLEMS[rejection.code].status)) return rejection;
  const { issuer, subject } = callerContext.caller;
  const verdict = denials.count(callerContext.caller);
  if (!verdict.allowed) return tooManyDenials(verdict);
  if (verdict.remaining === 0) {
    const { limit, resetInSeconds } = verdict;
    logger.warn(
      { issuer, subject, limit, resetInSeconds },
      'a caller has reached the limit of denied and invalid requests',
    );
  }
  return rejection;
}

/**
 * Counts a list of which items are denied as one denied request, although its status is 200.
 * @throws ServiceError `rate_limited` if the caller has used up its denials.
 */
export function countDeniedList(
  { denials, logger }: { readonly denials: DenialLimiter; readonly logger: Pick<ServiceLogger, 'warn'> },
  request: Pick<FastifyRequest, 'callerContext'>,
  denial: ServiceError,
): void {
  const counted = countDenial(denials, logger, request, denial);
  if (counted !== denial) throw counted;
}

function tooManyDenials(verdict: LimitVerdict): ServiceError {
  const { limit, resetInSeconds } = verdict;
  return new ServiceError(
    'rate_limited',
    `${limit} requests of this caller were denied or invalid within a minute; correct them, and try again in ${resetInSeconds} seconds.`,
    { headers: limitReachedHeaders(verdict) },
  );
}
