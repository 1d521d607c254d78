import type { ReadinessCheck } from '../../health/check.ts';
import { createRedisLimiter } from '../../limits/redis-limiter.ts';

/** Whether Redis counts, by a trial count; without an address there is nothing to reach. */
export async function checkLimiter(redisUrl: string | undefined): Promise<ReadinessCheck> {
  const name = 'limiter';
  if (redisUrl === undefined)
    return { name, ok: true, detail: 'in memory; set REDIS_URL for limits that hold across replicas' };
  const { promise, resolve } = Promise.withResolvers<string>();
  const limiter = createRedisLimiter({
    url: redisUrl,
    nowMs: () => performance.now(),
    onModeChange: resolve,
  });
  try {
    return { name, ok: (await promise) === 'redis', detail: limiter.describe().detail };
  } finally {
    await limiter.close();
  }
}
