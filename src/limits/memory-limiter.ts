import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { LimitedUpload, Limiter, LimitVerdict } from '../uploads/limiter.ts';

/** Counts within this process. */
export function createMemoryLimiter(): Limiter {
  const windows = {
    requestsPerMinute: new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 }),
    bytesPerDay: new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 86_400 }),
  };
  async function count(upload: LimitedUpload, bound: 'requestsPerMinute' | 'bytesPerDay', points: number) {
    const limit = upload.limits[bound];
    if (limit === undefined) return undefined;
    const key = JSON.stringify([upload.rule, upload.issuer, upload.subject]);
    const window = windows[bound];
    const result = await window.consume(key, points);
    const allowed = result.consumedPoints <= limit;
    if (!allowed) await window.reward(key, points);
    const verdict: LimitVerdict = {
      allowed,
      limitedBy: bound,
      limit,
      remaining: Math.max(0, limit - result.consumedPoints),
      resetInSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)),
    };
    return verdict;
  }
  return {
    async consume(upload) {
      const requests = await count(upload, 'requestsPerMinute', 1);
      if (requests && !requests.allowed) return requests;
      const bytes = await count(upload, 'bytesPerDay', upload.bytes);
      if (bytes && !bytes.allowed) return bytes;
      return requests ?? bytes;
    },
    describe: () => ({ ok: true, detail: 'in memory' }),
    close: () => Promise.resolve(),
  };
}
