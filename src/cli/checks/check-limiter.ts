import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import { createRedisLimiter } from '../../limits/redis-limiter.ts';

/** Checks by a trial whether Redis counts. Without an address, limits are counted in memory. */
export async function checkLimiter(redisUrl: string | undefined, clock: Clock): Promise<ReadinessCheck> {
  const name = 'limiter';
  if (redisUrl === undefined)
    return { name, ok: true, detail: 'in memory; set REDIS_URL for limits that hold across replicas' };
  const { promise, resolve } = Promise.withResolvers<string>();
  const limiter = createRedisLimiter({
    url: redisUrl,
    nowMs: () => clock().getTime(),
    onModeChange: resolve,
  });
  try {
    return { name, ok: (await promise) === 'redis', detail: limiter.describe().detail };
  } finally {
    await limiter.close();
  }
}
