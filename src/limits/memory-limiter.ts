import { LIMITS, type LimitedUpload, type LimitVerdict } from '../grants/ports/limiter.ts';
import { callerKey } from './caller-key.ts';
import { evaluateLimits, hasLimits } from './evaluate-limits.ts';
import { createMemoryWindows, type MemoryWindows } from './memory-windows.ts';
import type { RunningLimiter } from './running-limiter.ts';

const MAX_WINDOWS = 100_000;

export type MemoryLimiterOptions = {
  /** Milliseconds of a clock that never goes back, even if the machine's time is changed. */
  readonly nowMs: () => number;
  /** How many windows are kept per limit; above it, the oldest are dropped. Default 100,000. */
  readonly maxWindows?: number;
};

/** A limiter that returns its verdict at once. */
export type MemoryLimiter = Omit<RunningLimiter, 'consume'> & {
  consume(upload: LimitedUpload): LimitVerdict | undefined;
};

/**
 * Counts exactly for the last `maxWindows` callers of each limit, in the memory of this process.
 *
 * All limits of an upload are evaluated and counted in one step, without a timer or waiting.
 */
export function createMemoryLimiter({
  nowMs,
  maxWindows = MAX_WINDOWS,
}: MemoryLimiterOptions): MemoryLimiter {
  const windows = LIMITS.map((limit) => createMemoryWindows(limit, maxWindows));

  return {
    consume(upload) {
      if (!hasLimits(upload.limits)) return undefined;
      const now = nowMs();
      const caller = callerKey(upload);
      return evaluateLimits(upload, (_, allowed, amount, index) =>
        (windows[index] as MemoryWindows).count(caller, allowed, amount, now),
      );
    },
    describe: () => ({ ok: true, detail: 'in memory' }),
    mode: () => 'memory',
    close: () => Promise.resolve(),
  };
}
