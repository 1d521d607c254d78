import type { FastifyInstance } from 'fastify';
import { OVERLOADED } from '../errors.ts';
import type { ServiceLogger } from './logging.ts';
import type { Observer } from './observer.ts';
import { PROBLEMS, sendProblem, toServiceError } from './problem-json.ts';
import { traceIdOf } from './trace-context.ts';

/** Answers whatever is thrown as a problem document, counts it, and leaves what the log has to say of it. */
export function registerRefusals(app: FastifyInstance, logger: ServiceLogger, observer: Observer): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toServiceError(thrown);
    const { code, detail, cause } = error;
    if (code !== 'policy_denied' && code !== 'rate_limited') observer.refused(code);
    if (PROBLEMS[code].status >= 500 && cause !== undefined) {
      const traceId = traceIdOf(request.headers.traceparent);
      logger.error({ requestId: request.id, traceId, err: cause, code }, detail);
    } else request.refusal = { code, detail };
    // Whoever refuses for want of time must not spend it on a line for each; the turn has its line.
    if (error === OVERLOADED) request.lineLevel = 'debug';
    return sendProblem(error, request, reply);
  });
}
