import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock } from '../clock.ts';
import { escapeInvisible } from '../text/log-text.ts';

/**
 * The logger of the process: pino's, and a faster function for the lines that are written for each
 * request.
 */
export type ServiceLogger = Logger & {
  /**
   * Writes one line whose fields hold no secret: they are not redacted.
   * @param properties of the line, as JSON without its braces; the line begins with its level and
   *   time.
   */
  writeLine(level: 'info' | 'debug', properties: string): void;
};

/**
 * Names of fields that can hold a secret. They are redacted in case an object with one is logged by
 * mistake.
 */
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

/** How deep logged objects are searched for secrets. The service logs no deeper object. */
const MAX_DEPTH = 4;

/**
 * Creates the logger, which writes JSON lines. It never logs a whole request, whose URL and headers
 * can contain a token.
 * @param destination receives whole lines, each with its line feed; standard output by default.
 */
export function createLogger(
  level: string,
  clock: Clock,
  destination: DestinationStream = pino.destination(1),
): ServiceLogger {
  const time = createIsoTime(clock);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label: string) => ({ level: label }), log: redactFields },
      // The formatter does not see the bindings of a child logger.
      redact: { paths: [...SECRET_FIELDS], censor: REDACTED },
      serializers: { err: serializeError },
    },
    { write: (line: string) => destination.write(escapeInvisible(line)) },
  );
  return Object.assign(logger, {
    writeLine(level: 'info' | 'debug', properties: string) {
      if (!logger.isLevelEnabled(level)) return;
      destination.write(`{"level":"${level}","time":"${time()}",${properties}}\n`);
    },
  });
}

/** The time of a line, formatted once per millisecond: a busy process writes many lines in one. */
function createIsoTime(clock: Clock): () => string {
  let formattedAt = Number.NaN;
  let text = '';
  return () => {
    const now = clock();
    if (now.getTime() !== formattedAt) {
      formattedAt = now.getTime();
      text = now.toISOString();
    }
    return text;
  };
}

/**
 * Replaces paths with wildcards in pino's `redact`, which take five times as long as the rest of a
 * line.
 */
function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redact(fields, 1) as Record<string, unknown>;
}

/**
 * The value itself, or a copy if it contains something to redact. {@link serializeError} handles
 * errors.
 */
function redact(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || depth > MAX_DEPTH)
    return value;
  let copy: Record<string, unknown> | undefined;
  // Not `Object.entries`: its arrays cost more than the rest of this function.
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

/**
 * An error with its causes: names, messages, codes and stacks. Libraries put requests into other
 * fields, so they are left out.
 */
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
