export type Turns = {
  /** Resolves at the end of the turn that is going on, when all that has arrived has been read. */
  end(): Promise<void>;
  /** How long a request that is read now will have waited when it is answered, about, in milliseconds; 0 while nobody waits. */
  waitMs(): number;
};

type Turn = { readonly beganAt: number; readonly end: Promise<void>; hasWaiters: boolean };

/**
 * Lets requests go on together, those that have come as far in one turn of the event loop.
 *
 * One after the other through all of the code, each request finds the processor's caches full of what the one before it did
 * last, and takes twice as long (docs/performance.md). Together they pass the same code at the same time. Nobody waits for
 * anybody who has not arrived yet: alone, a request loses some microseconds.
 *
 * It also is how overload is seen. A request waits for its turn to be read, another one for its decision and a third one for its
 * answer; how long the last ones took is how long it takes now. The mean delay of the event loop says less than the half of
 * that, and says it late.
 *
 * @param monotonicMs a clock that never goes back, in milliseconds, e.g. `performance.now()`.
 */
export function createTurns(monotonicMs: () => number): Turns {
  let open: Turn | undefined;
  let lastMs = 0;
  let lastButOneMs = 0;

  function begin(): Turn {
    const turn = {
      beganAt: monotonicMs(),
      hasWaiters: false,
      end: new Promise<void>((resolve) => {
        setImmediate(() => {
          finish(turn);
          resolve();
        });
      }),
    };
    return turn;
  }

  function finish({ beganAt, hasWaiters }: Turn): void {
    lastButOneMs = hasWaiters ? lastMs : 0;
    lastMs = hasWaiters ? monotonicMs() - beganAt : 0;
    // What they do now that they go on is part of the next turn, also when nobody else comes.
    open = hasWaiters ? begin() : undefined;
  }

  return {
    end() {
      open ??= begin();
      open.hasWaiters = true;
      return open.end;
    },
    waitMs: () => (open ? lastButOneMs + lastMs + monotonicMs() - open.beganAt : 0),
  };
}
