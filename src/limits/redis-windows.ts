import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limits } from '../uploads/limiter.ts';
import type { CountInWindow } from './consume-bounds.ts';
import { COUNT_WITHIN_LIMIT } from './count-within-limit.ts';
import { WINDOW_SECONDS } from './verdict.ts';

export type RedisWindows = {
  /** Rejects when Redis does not count. */
  readonly count: CountInWindow;
  /** Writes a count of nothing. Rejects when Redis would not count an upload either. */
  try(): Promise<void>;
};

/** Windows that all copies share, under `oss-presign:<bound>:<hash of the caller>`. Redis drops each when it is over. */
export function createRedisWindows(redis: Redis): RedisWindows {
  // One for each limit of the policy, as the library takes the limit when it is made. What is counted does not depend on it.
  const counters = new Map<string, RateLimiterRedis>();

  function counterFor(bound: keyof Limits, limit: number): RateLimiterRedis {
    const id = `${bound} ${limit}`;
    let counter = counters.get(id);
    if (!counter) {
      counter = new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `oss-presign:${bound}`,
        points: limit,
        duration: WINDOW_SECONDS[bound],
        customIncrTtlLuaScript: COUNT_WITHIN_LIMIT,
      });
      counters.set(id, counter);
    }
    return counter;
  }

  const count: CountInWindow = async (bound, limit, callerHash, points) => {
    try {
      const { consumedPoints, msBeforeNext } = await counterFor(bound, limit).consume(callerHash, points);
      return { allowed: true, remaining: limit - consumedPoints, msBeforeNext };
    } catch (result) {
      if (!(result instanceof RateLimiterRes)) throw result;
      const { consumedPoints, msBeforeNext } = result;
      return { allowed: false, remaining: limit - (consumedPoints - points), msBeforeNext };
    }
  };

  return {
    count,
    async try() {
      await count('requestsPerMinute', 1, 'trial', 0);
    },
  };
}
