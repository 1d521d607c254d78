import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceError } from '../../errors.ts';
import type { Decided, Observer } from '../../grants/ports/observer.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { cutForLog, jsonMember } from '../../text/json-text.ts';
import { clientRequestId } from './request-ids.ts';
import { traceIdOf } from './trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The level of its line: `debug` if another line of this request has all of it already. */
    lineLevel: 'info' | 'debug';
    /** Why it was rejected, unless another line says so. */
    rejection: ServiceError | undefined;
  }
}

/** Longest `detail` in a log line, in characters. Details name what the caller sent, and lists of the policy. */
const MAX_DETAIL_CHARACTERS = 1024;

/**
 * Writes one line per request: method, route, status, duration, and why it was rejected. Probes, and requests that have an audit
 * line, are written at the level `debug`. The route is the pattern, never the URL that was sent.
 */
export function registerAccessLog(app: FastifyInstance, logger: ServiceLogger, observer: Observer): void {
  app.decorateRequest('lineLevel', 'info');
  app.decorateRequest('rejection', undefined);
  app.addHook('onResponse', (request, reply, done) => {
    const { method, rejection } = request;
    const status = reply.statusCode;
    const route = request.routeOptions.url;
    observer.answered({
      method: route === undefined ? 'other' : method,
      route: route ?? 'none',
      status,
      seconds: reply.elapsedTime / 1000,
    });
    const isProbe = route === '/livez' || route === '/readyz' || route === '/metrics';
    const level = isProbe ? 'debug' : request.lineLevel;
    if (logger.isLevelEnabled(level))
      writeRequestLine(
        logger,
        level,
        request,
        reply,
        status,
        rejectionMembers(rejection),
        'request completed',
      );
    done();
  });
}

/**
 * Writes a line about a request: its ids, method, route, status, duration and client address.
 * @param members what else there is to log: members of a JSON object, each with a comma before it.
 */
export function writeRequestLine(
  logger: ServiceLogger,
  level: 'info' | 'debug',
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  members: string,
  msg: `upload ${Decided['outcome']}` | 'request completed',
): void {
  const { id, method, headers, ip } = request;
  const route = request.routeOptions.url;
  // Ids of the service, HTTP methods that Node knows and patterns of routes have nothing to escape.
  const ids = `"requestId":"${id}"${jsonMember('clientRequestId', clientRequestId(headers['x-request-id']))}${jsonMember('traceId', traceIdOf(headers.traceparent))}`;
  const what = `"method":"${method}","route":${route === undefined ? 'null' : `"${route}"`},"status":${status}`;
  const durationMs = Math.round(reply.elapsedTime * 10) / 10;
  logger.writeLine(
    level,
    // Behind a trusted proxy the address is what that proxy wrote into a header.
    `${ids},${what}${members},"durationMs":${durationMs}${jsonMember('remoteAddress', cutForLog(ip))},"msg":"${msg}"`,
  );
}

/** Why a request was rejected, as members of its log line. */
export function rejectionMembers(rejection: ServiceError | undefined): string {
  if (!rejection) return '';
  const { code, detail, logFields } = rejection;
  return `,"code":"${code}"${jsonMember('detail', detail.slice(0, MAX_DETAIL_CHARACTERS))}${logFieldMembers(logFields)}`;
}

function logFieldMembers(fields: ServiceError['logFields'] = {}): string {
  return Object.entries(fields)
    .map(([name, value]) => jsonMember(name, cutForLog(value)))
    .join('');
}
