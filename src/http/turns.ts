import { OVERLOADED } from '../errors.ts';

/** A request's place in one turn of the event loop. */
export type Place = {
  /** Resolves at the turn's end, when all that has arrived has been read. */
  readonly turnEnd: Promise<void>;
  /**
   * @throws ServiceError `unavailable` with `Retry-After` where the turn began longer than `maxWaitMs` ago: whoever came in it has
   *   waited for about as long. Never for the first of a turn.
   */
  assertInTime(): void;
};

export type Turns = {
  /** Gives a request that has just arrived its place in the turn that is going on. */
  arrive(): Place;
  /** Resolves at the end of the turn that is going on. */
  end(): Promise<void>;
};

export type TurnsOptions = {
  /** A clock that never goes back, in milliseconds, e.g. `performance.now()`. */
  readonly monotonicMs: () => number;
  /** How long a request may wait for its turn. */
  readonly maxWaitMs: number;
  /** Told once per turn that is too late, with how long it has lasted. */
  readonly onLate: (turnMs: number) => void;
};

/** So many of each turn are answered however late it is: a copy that is asked far too much still does its work. */
const ALWAYS_ANSWERED = 32;

type Turn = { readonly end: Promise<void>; readonly first: Place; readonly others: Place; arrived: number };

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
export function createTurns({ monotonicMs, maxWaitMs, onLate }: TurnsOptions): Turns {
  let open: Turn | undefined;

  function begin(): Turn {
    const beganAt = monotonicMs();
    let isTold = false;
    const end = new Promise<void>((resolve) => {
      setImmediate(() => {
        open = undefined;
        resolve();
      });
    });
    return {
      end,
      first: { turnEnd: end, assertInTime() {} },
      others: {
        turnEnd: end,
        assertInTime() {
          const turnMs = monotonicMs() - beganAt;
          if (turnMs <= maxWaitMs) return;
          if (!isTold) onLate(turnMs);
          isTold = true;
          throw OVERLOADED;
        },
      },
      arrived: 0,
    };
  }

  function current(): Turn {
    open ??= begin();
    return open;
  }

  return {
    arrive() {
      const turn = current();
      return turn.arrived++ < ALWAYS_ANSWERED ? turn.first : turn.others;
    },
    end: () => current().end,
  };
}
