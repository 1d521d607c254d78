import type { FastifyInstance } from 'fastify';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Observer } from './observer.ts';

/** Names of fields that can hold a secret, wherever an object with one is logged by mistake. */
const SECRET_FIELDS = [
  'authorization',
  'token',
  'accessKeyId',
  'accessKeySecret',
  'securityToken',
  'secret',
  'signature',
  'url',
  'canonicalRequest',
  'stringToSign',
];

/**
 * The process's log: JSON lines. Requests are never logged whole: the address of one can hold a token in its query, its
 * headers hold one by design.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
    serializers: { err: serializeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** An error with its causes: names, messages, codes and stacks, none of the other fields, where libraries put requests. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'not an Error' };
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    stack,
    ...(cause !== undefined && { cause: serializeError(cause) }),
  };
}

/** One line per answer: method, route, status and time. The route is the pattern, never the address that was sent. */
export function registerAccessLog(app: FastifyInstance, observer: Observer): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url;
    observer.answered({
      method: route === undefined ? 'other' : request.method,
      route: route ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    const isProbe = route === '/livez' || route === '/readyz' || route === '/metrics';
    request.log[isProbe ? 'debug' : 'info'](
      {
        method: request.method,
        route: route ?? null,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        remoteAddress: request.ip,
      },
      'answered',
    );
  });
}
