import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Limiter } from '../uploads/limiter.ts';
import { type CountInWindow, consumeBounds, WINDOW_SECONDS } from './consume-bounds.ts';

/** About 0.5 kB each, so about 50 MB for each of the two bounds. */
const MAX_WINDOWS = 100_000;

export type MemoryLimiterOptions = {
  /** How many windows are kept per bound; above it the ones that began first are forgotten. Default 100,000. */
  readonly maxWindows?: number;
};

/**
 * Counts within this process, exactly for the last `maxWindows` callers of each bound and in bounded memory. Time is the
 * process's own (`Date.now` and timers, inside rate-limiter-flexible); no timer keeps the process from ending.
 */
export function createMemoryLimiter({ maxWindows = MAX_WINDOWS }: MemoryLimiterOptions = {}): Limiter {
  const countInWindow: Readonly<Record<'requestsPerMinute' | 'bytesPerDay', CountInWindow>> = {
    requestsPerMinute: createWindows(WINDOW_SECONDS.requestsPerMinute, maxWindows),
    bytesPerDay: createWindows(WINDOW_SECONDS.bytesPerDay, maxWindows),
  };
  let lastTurn: Promise<unknown> = Promise.resolve();

  return {
    consume(upload) {
      // One upload after the other: comparing and adding are two calls of the library. It waits for nothing, so neither do they.
      const turn = lastTurn.then(() =>
        consumeBounds(upload, (bound, ...rest) => countInWindow[bound](bound, ...rest)),
      );
      lastTurn = turn.catch(() => undefined);
      return turn;
    },
    describe: () => ({ ok: true, detail: 'in memory' }),
    mode: () => 'memory',
    close: () => Promise.resolve(),
  };
}

function createWindows(seconds: number, maxWindows: number): CountInWindow {
  const counter = new RateLimiterMemory({
    points: Number.MAX_SAFE_INTEGER,
    duration: seconds,
    keyPrefix: '',
  });
  const keysByBeginning = new Set<string>();

  async function forgetOldest(): Promise<void> {
    // A tenth at a time: a Set from which one takes the first again and again has to walk over all the gaps each time.
    let excess = keysByBeginning.size - Math.floor(maxWindows * 0.9);
    for (const key of keysByBeginning) {
      if (excess-- <= 0) return;
      keysByBeginning.delete(key);
      await counter.delete(key);
    }
  }

  return async (_bound, limit, key, points) => {
    const current = await counter.get(key);
    const isOpen = current !== null && current.msBeforeNext > 0;
    const remaining = limit - (isOpen ? current.consumedPoints : 0);
    if (points > remaining) {
      return { allowed: false, remaining, msBeforeNext: isOpen ? current.msBeforeNext : seconds * 1000 };
    }
    const counted = await counter.consume(key, points);
    if (counted.isFirstInDuration) {
      keysByBeginning.delete(key);
      keysByBeginning.add(key);
      if (keysByBeginning.size > maxWindows) await forgetOldest();
    }
    return { allowed: true, remaining: limit - counted.consumedPoints, msBeforeNext: counted.msBeforeNext };
  };
}
