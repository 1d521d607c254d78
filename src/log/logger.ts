import { type DestinationStream, type Logger, pino } from 'pino';
import type { Clock } from '../clock.ts';
import { escapeInvisible } from '../text/log-text.ts';

/** The process's log: pino's, and a shorter way for the lines that are written for each request. */
export type ServiceLogger = Logger & {
  /**
   * Writes one line of fields that are known to hold no secret. Nothing is looked for in them, and no child logger is made for them.
   * @param members of the line, as JSON without its braces; they come behind its level and its time.
   */
  writeLine(level: 'info' | 'debug', members: string): void;
};

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

/**
 * Makes the log: JSON lines. Requests are never logged whole: the address of one can hold a token in its query, its
 * headers hold one by design.
 * @param destination is given whole lines, each with its line feed; standard output unless said otherwise.
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
      // What a child logger is bound to does not pass through the formatter.
      redact: { paths: [...SECRET_FIELDS], censor: REDACTED },
      serializers: { err: serializeError },
    },
    { write: (line: string) => destination.write(escapeInvisible(line)) },
  );
  return Object.assign(logger, {
    writeLine(level: 'info' | 'debug', members: string) {
      if (!logger.isLevelEnabled(level)) return;
      destination.write(`{"level":"${level}","time":"${time()}",${members}}\n`);
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
