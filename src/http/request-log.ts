import type { FastifyBaseLogger } from 'fastify';
import type { Bindings, ChildLoggerOptions } from 'pino';

/**
 * The log of one request, bound to its id. Pino's child is made by the first line that is written through it: of most requests
 * there is none, as theirs are written by `writeRequestLine`.
 */
export class RequestLog {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: () => Bindings;
  #child: FastifyBaseLogger | undefined;

  constructor(parent: FastifyBaseLogger, bindings: () => Bindings) {
    this.#parent = parent;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#parent.level;
  }

  fatal(...line: Line): void {
    this.#bound().fatal(...line);
  }

  error(...line: Line): void {
    this.#bound().error(...line);
  }

  warn(...line: Line): void {
    this.#bound().warn(...line);
  }

  info(...line: Line): void {
    this.#bound().info(...line);
  }

  debug(...line: Line): void {
    this.#bound().debug(...line);
  }

  trace(...line: Line): void {
    this.#bound().trace(...line);
  }

  silent(): void {}

  child(bindings: Bindings, options?: ChildLoggerOptions): FastifyBaseLogger {
    return this.#bound().child(bindings, options);
  }

  #bound(): FastifyBaseLogger {
    this.#child ??= this.#parent.child(this.#bindings());
    return this.#child;
  }
}

type Line = [fields: unknown, message?: string];
