import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Observer } from './observer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** At which level its line is written: `debug` once another line has told all of it. */
    lineLevel: 'info' | 'debug';
    /** Why it was refused, where no such line says so. */
    refusal: { readonly code: ErrorCode; readonly detail: string } | undefined;
  }
}

/** Names of fields that can hold a secret, wherever an object with one is logged by mistake. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
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
]);

const REDACTED = '[redacted]';

/** How deep in a logged object secrets are looked for; none that the service logs is deeper. */
const MAX_DEPTH = 4;

/** Some 30 lines of about 400 bytes are written at once. Each write wakes another thread, which costs as much as a line. */
const MIN_WRITE_BYTES = 12_288;

/** How long a line waits for others at most, in milliseconds. */
const WRITE_INTERVAL_MS = 100;

/** What may wait for a reader of the log that hangs; beyond it lines are dropped, for else the process would die of them. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * The process's log: JSON lines. Requests are never logged whole: the address of one can hold a token in its query, its
 * headers hold one by design.
 */
export function createLogger(level: string, clock: Clock, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: createTimestamp(clock),
    formatters: { level: (label: string) => ({ level: label }), log: redactFields },
    // What a child logger is bound to does not pass through the formatter.
    redact: { paths: [...SECRET_FIELDS], censor: REDACTED },
    serializers: { err: serializeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * The process's standard output, for `createLogger`: written many lines at a time and beside the work, at most 100 ms late. What
 * waits is written when the process ends by itself, by `process.exit` or by an uncaught error, not when it is killed.
 */
export function createLogOutput(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: MIN_WRITE_BYTES,
    maxLength: MAX_WAITING_BYTES,
    periodicFlush: WRITE_INTERVAL_MS,
  });
}

/** The time of a line, formatted once per millisecond: a busy process writes many lines in one. */
function createTimestamp(clock: Clock): () => string {
  let formattedAt = Number.NaN;
  let text = '';
  return () => {
    const now = clock();
    if (now.getTime() !== formattedAt) {
      formattedAt = now.getTime();
      text = `,"time":"${now.toISOString()}"`;
    }
    return text;
  };
}

/** Instead of paths with wildcards in pino's `redact`, which take five times as long as all the rest of a line. */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redact(fields, 1) as Record<string, unknown>;
}

/** The value itself where there is nothing to hide in it, else a copy. Errors are for {@link serializeError}. */
function redact(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || depth > MAX_DEPTH)
    return value;
  let copy: Record<string, unknown> | undefined;
  // Not over Object.entries, whose arrays cost more than all of this.
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    const field: unknown = value[name as keyof typeof value];
    const shown = SECRET_FIELDS.has(name) ? REDACTED : redact(field, depth + 1);
    if (shown === field) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[name] = shown;
  }
  return copy ?? value;
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

/**
 * One line per request: method, route, status and time, and the refusal where it was one. What has its line already is told here
 * at the level `debug` only, as probes are. The route is the pattern, never the address that was sent.
 */
export function registerAccessLog(app: FastifyInstance, observer: Observer): void {
  app.decorateRequest('lineLevel', 'info');
  app.decorateRequest('refusal', undefined);
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url;
    observer.answered({
      method: route === undefined ? 'other' : request.method,
      route: route ?? 'none',
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    const isProbe = route === '/livez' || route === '/readyz' || route === '/metrics';
    const level = isProbe ? 'debug' : request.lineLevel;
    if ((request.log as Logger).isLevelEnabled(level)) {
      const { method, refusal } = request;
      const status = reply.statusCode;
      request.log[level](
        { method, route: route ?? null, status, ...refusal, ...circumstances(request, reply) },
        'answered',
      );
    }
    done();
  });
}

/** What the line of a request says besides what became of it. */
export function circumstances(
  request: FastifyRequest,
  reply: FastifyReply,
): { readonly durationMs: number; readonly remoteAddress: string } {
  return { durationMs: Math.round(reply.elapsedTime * 10) / 10, remoteAddress: request.ip };
}
