import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import { jsonMember, jsonText } from '../json-text.ts';
import type { ServiceLogger } from './logging.ts';
import type { Decided, Observer } from './observer.ts';
import { traceIdOf } from './trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** At which level its line is written: `debug` once another line has told all of it. */
    lineLevel: 'info' | 'debug';
    /** Why it was refused, where no such line says so. */
    refusal: { readonly code: ErrorCode; readonly detail: string } | undefined;
  }
}

/**
 * One line per request: method, route, status and time, and the refusal where it was one. What has its line already is told here
 * at the level `debug` only, as probes are. The route is the pattern, never the address that was sent.
 */
export function registerAccessLog(app: FastifyInstance, logger: ServiceLogger, observer: Observer): void {
  app.decorateRequest('lineLevel', 'info');
  app.decorateRequest('refusal', undefined);
  app.addHook('onResponse', (request, reply, done) => {
    const { method, refusal } = request;
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
    if (logger.isLevelEnabled(level)) {
      const outcome = JSON.stringify({ method, route: route ?? null, status, ...refusal }).slice(1, -1);
      writeRequestLine(logger, level, request, reply, outcome, 'answered');
    }
    done();
  });
}

/**
 * Writes a line on a request: which one it is, what became of it, after how long and for whom.
 * @param outcome what became of it, as members of a JSON object without its braces.
 */
export function writeRequestLine(
  logger: ServiceLogger,
  level: 'info' | 'debug',
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: string,
  msg: `upload ${Decided['outcome']}` | 'answered',
): void {
  const which = `"requestId":"${jsonText(request.id)}"${jsonMember('traceId', traceIdOf(request.headers.traceparent))}`;
  const durationMs = Math.round(reply.elapsedTime * 10) / 10;
  const whose = `"durationMs":${durationMs}${jsonMember('remoteAddress', request.ip)}`;
  logger.writeLine(level, `${which},${outcome},${whose},"msg":"${msg}"`);
}
