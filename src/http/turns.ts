import { OVERLOADED } from '../errors.ts';

/** One turn of the event loop, as requests see it. */
export type Turn = {
  /** Resolves at the turn's end, when all that has arrived has been read. */
  readonly end: Promise<void>;
  /**
   * @throws ServiceError `unavailable` with `Retry-After` where the turn began longer than `maxWaitMs` ago: whoever came in it has
   *   waited for about as long.
   */
  assertInTime(): void;
};

/** The turn that is going on. */
export type Turns = () => Turn;

export type TurnsOptions = {
  /** A clock that never goes back, in milliseconds, e.g. `performance.now()`. */
  readonly monotonicMs: () => number;
  /** How long a request may wait for its turn. */
  readonly maxWaitMs: number;
};

/**
 * Lets requests go on together, those that have come as far in one turn of the event loop.
 *
 * One after the other through all of the code, each request finds the processor's caches full of what the one before it did
 * last, and takes twice as long (docs/performance.md). Together they pass the same code at the same time. Nobody waits for
 * anybody who has not arrived yet: alone, a request loses some microseconds.
 *
 * It also is how overload is seen. A request waits for no longer than the turns last, in the kernel or here, so a turn that
 * lasts too long is known while it lasts, and what comes late in it is refused before more work is put into it. Averages of the
 * loop's delay know it only afterwards, and forget it late.
 */
export function createTurns({ monotonicMs, maxWaitMs }: TurnsOptions): Turns {
  let open: Turn | undefined;

  function begin(): Turn {
    const latest = monotonicMs() + maxWaitMs;
    return {
      end: new Promise((resolve) => {
        setImmediate(() => {
          open = undefined;
          resolve();
        });
      }),
      assertInTime() {
        if (monotonicMs() > latest) throw OVERLOADED;
      },
    };
  }

  return () => {
    open ??= begin();
    return open;
  };
}
