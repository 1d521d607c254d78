import type { Clock } from '../clock.ts';
import { OVERLOADED } from '../errors.ts';

/** Work that waits for the processor alone, never for anybody outside. */
export type Backlog = {
  /** @throws ServiceError `unavailable` with `Retry-After` when what came earlier has waited for too long already. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
};

/**
 * Bounds how long work waits for its turn: while the oldest piece is older than `maxWaitMs`, no more is taken on. Unlike a
 * bound on their number it lets a burst through that the machine can do in time, and adapts to machines of any speed.
 */
export function createBacklog({
  clock,
  maxWaitMs,
}: {
  readonly clock: Clock;
  readonly maxWaitMs: number;
}): Backlog {
  /** When each piece began, in order. */
  const pending = new Map<symbol, number>();
  return {
    async run(work) {
      const [oldest] = pending.values();
      const now = clock().getTime();
      if (oldest !== undefined && now - oldest > maxWaitMs) throw OVERLOADED;
      const piece = Symbol('piece of work');
      pending.set(piece, now);
      try {
        return await work();
      } finally {
        pending.delete(piece);
      }
    },
  };
}
