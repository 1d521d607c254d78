import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceError } from '../../errors.ts';
import type { DenialLimiter } from '../../grants/ports/limiter.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { OVERLOADED } from '../load-control/load-shedder.ts';
import { logRequest } from './access-log.ts';
import { countDenial } from './denial-limit.ts';
import { PROBLEMS, sendProblem, toServiceError } from './problem-json.ts';
import { clientRequestId } from './request-ids.ts';
import { traceIdOf } from './trace-context.ts';

/**
 * Responds to everything that is thrown with a problem document, counts it, and keeps it for the
 * request's log line. A denial or invalid request counts against its caller, and becomes 429 beyond
 * the limit.
 */
export function registerErrorHandler(
  app: FastifyInstance,
  {
    logger,
    observer,
    denials,
  }: { readonly logger: ServiceLogger; readonly observer: Observer; readonly denials: DenialLimiter },
): void {
  app.setErrorHandler((thrown, request, reply) => {
    const { bodyLimit } = request.routeOptions;
    const error = countDenial(denials, logger, request, toServiceError(thrown, bodyLimit));
    const { code, detail, cause, logFields } = error;
    if (code !== 'policy_denied') observer.rejected(code);
    if (PROBLEMS[code].status >= 500 && cause !== undefined) {
      const { id: requestId, headers } = request;
      const ids = {
        requestId,
        clientRequestId: clientRequestId(headers['x-request-id']),
        traceId: traceIdOf(headers.traceparent),
      };
      logger.error({ ...ids, err: cause, code, ...logFields }, detail);
    } else request.rejection = error;
    // A log line would cost more than the rejection. The load shedder logs the overload.
    if (error === OVERLOADED) request.lineLevel = 'debug';
    return sendProblem(error, request, reply);
  });
}

/**
 * Responds to a request that Fastify rejects before any hook runs, e.g. for its URL: counts and
 * logs it as well.
 */
export function rejectBeforeHooks(
  error: ServiceError,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger, observer }: { readonly logger: ServiceLogger; readonly observer: Observer },
): void {
  if (error.code !== 'policy_denied') observer.rejected(error.code);
  logRequest(logger, 'info', request, reply, { status: PROBLEMS[error.code].status, rejection: error });
  sendProblem(error, request, reply);
}
