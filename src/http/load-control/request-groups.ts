/** Who goes on together. More would gain nothing, and make those wait who have not been read yet. */
const MAX_TOGETHER = 64;

/** Turns in which nobody goes on, between two groups: each accepts one connection and reads what has come, and costs next to nothing. */
const TURNS_BETWEEN = 8;

/**
 * Awaited between two steps of a request: all who go on together take the one before any of them takes the next. Signing, writing the
 * log and sending each pass so much code that one after the other they drive each other out of the processor's caches.
 */
export const othersToo: Promise<void> = Promise.resolve();

export type Turns = {
  /** Resolves at the end of a turn of the event loop, first come, first served: with how long it waited, in milliseconds. */
  take(): Promise<number>;
};

type Group = {
  readonly beganAt: number;
  size: number;
  readonly turn: Promise<number>;
  readonly begin: (waitedMs: number) => void;
};

/**
 * Lets requests go on together, those that were read one after the other, up to 64.
 *
 * One by one through all of the code, each request finds the processor's caches full of what the one before it did last, and
 * takes twice as long (docs/performance.md). Together they pass the same code at the same time. Nobody waits for anybody who
 * has not arrived yet: alone, a request loses some microseconds.
 *
 * It also is how overload is seen. A busy process reads what has arrived, and whoever was read waits here: nothing else takes long.
 * And between two groups Node reads and accepts: it accepts one connection per turn, so that new ones must not wait for all who are
 * here, nor thousands of them for as many groups.
 *
 * @param monotonicMs a clock that never goes back, in milliseconds, e.g. `performance.now()`.
 */
export function createTurns(monotonicMs: () => number): Turns {
  const waiting: Group[] = [];

  function begin(): void {
    const group = waiting.shift();
    group?.begin(monotonicMs() - group.beganAt);
    if (waiting.length > 0) afterTurns(TURNS_BETWEEN, begin);
  }

  function openGroup(): Group {
    const last = waiting.at(-1);
    if (last && last.size < MAX_TOGETHER) return last;
    const { promise: turn, resolve } = Promise.withResolvers<number>();
    const group = { beganAt: monotonicMs(), size: 0, turn, begin: resolve };
    if (waiting.push(group) === 1) setImmediate(begin);
    return group;
  }

  return {
    take() {
      const group = openGroup();
      group.size++;
      return group.turn;
    },
  };
}

function afterTurns(turns: number, then: () => void): void {
  setImmediate(turns === 0 ? then : () => afterTurns(turns - 1, then));
}
