import { LIMITS, type LimitedUpload, type LimitVerdict } from '../grants/ports/limiter.ts';
import { rejectAfter } from '../net/reject-after.ts';
import { createCallerKeys, type WindowKeys, windowKeys } from './caller-keys.ts';
import { COUNT_UPLOADS } from './count-uploads.ts';
import { amountOf, evaluateLimits, evaluateWindow } from './evaluate-limits.ts';
import type { RedisClient } from './redis-client.ts';

export type RedisWindows = {
  /** Counts an upload against all of its limits in one step; calls `fallback` if Redis fails. */
  count(upload: LimitedUpload, fallback: Fallback): Promise<LimitVerdict | undefined>;
  /** Counts an upload of 0 bytes. Rejects if Redis cannot count uploads. */
  probe(): Promise<void>;
};

/** Decides on an upload that Redis could not count. */
export type Fallback = (upload: LimitedUpload, error: unknown) => LimitVerdict | undefined;

type Waiting = {
  readonly upload: LimitedUpload;
  readonly keys: WindowKeys;
  readonly fallback: Fallback;
  readonly resolve: (verdict: LimitVerdict | undefined) => void;
  readonly reject: (error: unknown) => void;
};

/** Redis is blocked while the script runs; 100 uploads take less than 1 ms. */
const MAX_UPLOADS_PER_CALL = 100;

const WINDOW_SECONDS = LIMITS.map(({ windowSeconds }) => windowSeconds);

const NOTHING: LimitedUpload = { rule: '', issuer: '', subject: '', bytes: 0, limits: { bytesPerDay: 1 } };

/**
 * Creates windows that all replicas share. Redis drops each one when it ends.
 *
 * Uploads that arrive in the same event-loop turn are counted by one call, because the call is most
 * of the cost of counting.
 * @param timeoutMs how long a call may take.
 */
export function createRedisWindows(redis: RedisClient, timeoutMs: number): RedisWindows {
  redis.defineCommand('countUploads', { lua: COUNT_UPLOADS });
  const client = redis as RedisClient & { countUploads(...args: (string | number)[]): Promise<string> };
  const keysOfCaller = createCallerKeys();
  let uploadsPerCall = MAX_UPLOADS_PER_CALL;
  let waiting: Waiting[] = [];

  function send(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += uploadsPerCall) {
      void settle(all.slice(from, from + uploadsPerCall));
    }
  }

  async function settle(counted: readonly Waiting[]): Promise<void> {
    try {
      const states = await call(counted);
      counted.forEach(({ upload, resolve }, index) => {
        resolve(verdictOf(upload, states, index));
      });
    } catch (error) {
      for (const { upload, fallback, resolve, reject } of counted) {
        try {
          resolve(fallback(upload, error));
        } catch (fault) {
          reject(fault);
        }
      }
    }
  }

  /** @returns what {@link COUNT_UPLOADS} returns. */
  async function call(counted: readonly Pick<Waiting, 'upload' | 'keys'>[]): Promise<readonly number[]> {
    const args: (string | number)[] = [counted.length * LIMITS.length];
    let amounts = '';
    for (const { upload, keys } of counted) {
      args.push(...keys);
      for (const limit of LIMITS) amounts += `${upload.limits[limit.name] ?? ''},${amountOf(limit, upload)};`;
    }
    args.push(...WINDOW_SECONDS, amounts);
    const text = await rejectAfter(timeoutMs, () => client.countUploads(...args));
    const states: unknown = JSON.parse(text);
    if (!Array.isArray(states) || states.length !== 2 * LIMITS.length * counted.length)
      throw new Error('not the result of the script');
    return states;
  }

  return {
    count(upload, fallback) {
      return new Promise((resolve, reject) => {
        if (waiting.push({ upload, keys: keysOfCaller(upload), fallback, resolve, reject }) === 1) {
          setImmediate(send);
        }
      });
    },
    async probe() {
      const trial = { upload: NOTHING, keys: windowKeys('trial') };
      uploadsPerCall = MAX_UPLOADS_PER_CALL;
      try {
        await call([trial, { upload: NOTHING, keys: windowKeys('another trial') }]);
      } catch (error) {
        // A cluster, even behind a proxy, accepts only keys of one slot per call, so of one caller.
        if (!(error instanceof Error && /slot/i.test(error.message))) throw error;
        uploadsPerCall = 1;
        await call([trial]);
      }
    },
  };
}

/** @param states as {@link COUNT_UPLOADS} returns them, parsed. */
function verdictOf(
  upload: LimitedUpload,
  states: readonly number[],
  uploadIndex: number,
): LimitVerdict | undefined {
  const first = 2 * LIMITS.length * uploadIndex;
  return evaluateLimits(upload, ({ name }, allowed, amount, index) => {
    const [used = 0, msBeforeEnd = 0] = states.slice(first + 2 * index, first + 2 * index + 2);
    return evaluateWindow(name, allowed, used, amount, msBeforeEnd);
  });
}
