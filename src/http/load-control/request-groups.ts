/** Larger groups brought no gain, and made requests wait that had not been read yet. */
const MAX_GROUP_SIZE = 64;

/**
 * Event-loop turns without a group between two groups. In each of them Node accepts one connection
 * and reads what has arrived; an idle turn costs next to nothing.
 */
const LOOP_TURNS_BETWEEN_GROUPS = 8;

export type RequestGroups = {
  /**
   * Resolves when the group of this request starts, at the end of an event-loop turn: with how long
   * the request waited for that, in milliseconds. Groups start in the order in which their requests
   * joined.
   */
  join(): Promise<number>;
};

type Group = {
  readonly openedAt: number;
  size: number;
  readonly started: Promise<number>;
  readonly start: (waitedMs: number) => void;
};

/**
 * Groups requests that were read one after the other, up to {@link MAX_GROUP_SIZE}, so that they
 * are processed together.
 *
 * A request that runs through all of the code alone finds the processor's caches full of what the
 * previous request did last, and takes twice as long (docs/performance.md). A group never waits for
 * requests that have not arrived: a lone request loses some microseconds.
 *
 * The time spent waiting here is also the overload signal, because nothing else in a request of a
 * busy process waits. Between two groups Node reads and accepts connections: new clients wait
 * neither for all requests that have arrived nor for many groups.
 *
 * @param monotonicMs a clock that never goes back, in milliseconds, e.g. `performance.now()`.
 */
export function createRequestGroups(monotonicMs: () => number): RequestGroups {
  const waiting: Group[] = [];

  function startNext(): void {
    const group = waiting.shift();
    group?.start(monotonicMs() - group.openedAt);
    if (waiting.length > 0) afterLoopTurns(LOOP_TURNS_BETWEEN_GROUPS, startNext);
  }

  function openGroup(): Group {
    const last = waiting.at(-1);
    if (last && last.size < MAX_GROUP_SIZE) return last;
    const { promise: started, resolve: start } = Promise.withResolvers<number>();
    const group = { openedAt: monotonicMs(), size: 0, started, start };
    if (waiting.push(group) === 1) setImmediate(startNext);
    return group;
  }

  return {
    join() {
      const group = openGroup();
      group.size++;
      return group.started;
    },
  };
}

function afterLoopTurns(turns: number, callback: () => void): void {
  setImmediate(turns === 0 ? callback : () => afterLoopTurns(turns - 1, callback));
}
