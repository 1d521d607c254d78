import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceError } from '../../errors.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { type RequestLine, renderRequestLine } from '../../log/request-line.ts';
import { clientRequestId } from './request-ids.ts';
import { traceIdOf } from './trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The level of its access line: `debug` if another line of this request has the same content.
     */
    lineLevel: 'info' | 'debug';
    /** Why it was rejected, unless another line states it. */
    rejection: ServiceError | undefined;
  }
}

/**
 * Writes one line per request: method, route, status, duration, and why it was rejected. Probes,
 * and requests that have an audit line, are written at the level `debug`. The route is the pattern,
 * never the URL that was sent.
 */
export function registerAccessLog(
  app: FastifyInstance,
  { logger, observer }: { readonly logger: ServiceLogger; readonly observer: Observer },
): void {
  app.decorateRequest('lineLevel', 'info');
  app.decorateRequest('rejection', undefined);
  app.addHook('onResponse', (request, reply, done) => {
    const { method, rejection } = request;
    const status = reply.statusCode;
    const route = request.routeOptions.url;
    observer.responded({
      method: route === undefined ? 'other' : method,
      route: route ?? 'none',
      status,
      seconds: reply.elapsedTime / 1000,
    });
    const isProbe = route === '/livez' || route === '/readyz' || route === '/metrics';
    logRequest(logger, isProbe ? 'debug' : request.lineLevel, request, reply, { status, rejection });
    done();
  });
}

/**
 * Writes the line of a request: ids, method, route, duration, client address, and the given fields.
 */
export function logRequest(
  logger: ServiceLogger,
  level: 'info' | 'debug',
  request: FastifyRequest,
  reply: FastifyReply,
  { status, rejection, audit }: Pick<RequestLine, 'status' | 'rejection' | 'audit'>,
): void {
  if (!logger.isLevelEnabled(level)) return;
  const { id, method, headers, ip } = request;
  const line = {
    requestId: id,
    clientRequestId: clientRequestId(headers['x-request-id']),
    traceId: traceIdOf(headers.traceparent),
    method,
    route: request.routeOptions.url ?? null,
    status,
    rejection,
    audit,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    remoteAddress: ip,
  };
  logger.writeLine(level, renderRequestLine(line));
}
