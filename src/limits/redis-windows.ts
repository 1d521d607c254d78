import type { LimitedUpload, LimitVerdict } from '../grants/ports/limiter.ts';
import { rejectAfter } from '../net/reject-after.ts';
import { type CallerKeys, createCallerKeys, keysOf } from './caller-keys.ts';
import { COUNT_UPLOADS, type WindowStates } from './count-uploads.ts';
import type { RedisClient } from './redis-client.ts';
import { judge, nearest, WINDOW_SECONDS } from './verdict.ts';

export type RedisWindows = {
  /** Counts an upload in both of its windows in one step. Settles as `otherwise` does where Redis does not count. */
  count(upload: LimitedUpload, otherwise: Otherwise): Promise<LimitVerdict | undefined>;
  /** Writes a count of nothing. Rejects when Redis would not count an upload either. */
  try(): Promise<void>;
};

/** What to do instead with an upload that could not be counted. */
export type Otherwise = (upload: LimitedUpload, error: unknown) => LimitVerdict | undefined;

type Waiting = {
  readonly upload: LimitedUpload;
  readonly keys: CallerKeys;
  readonly otherwise: Otherwise;
  readonly resolve: (verdict: LimitVerdict | undefined) => void;
  readonly reject: (error: unknown) => void;
};

/** The server does nothing else meanwhile, which is below a millisecond. */
const MAX_UPLOADS_PER_CALL = 100;

const NOTHING: LimitedUpload = { rule: '', issuer: '', subject: '', bytes: 0, limits: { bytesPerDay: 1 } };

/**
 * Windows that all copies share; Redis drops each when it is over. Uploads that arrive in the same turn of the event loop are
 * counted by one call, since what a call costs this process is most of what counting costs.
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
      const states = await ask(counted);
      counted.forEach(({ upload, resolve }, index) => {
        resolve(verdictOf(upload, states[index]));
      });
    } catch (error) {
      for (const { upload, otherwise, resolve, reject } of counted) {
        try {
          resolve(otherwise(upload, error));
        } catch (fault) {
          reject(fault);
        }
      }
    }
  }

  async function ask(counted: readonly Pick<Waiting, 'upload' | 'keys'>[]): Promise<readonly WindowStates[]> {
    const args: (string | number)[] = [counted.length * 2];
    let bounds = '';
    for (const { upload, keys } of counted) {
      const { requestsPerMinute = '', bytesPerDay = '' } = upload.limits;
      args.push(keys.requestsPerMinute, keys.bytesPerDay);
      bounds += `${requestsPerMinute},${bytesPerDay},${upload.bytes};`;
    }
    args.push(WINDOW_SECONDS.requestsPerMinute, WINDOW_SECONDS.bytesPerDay, bounds);
    const answer = await rejectAfter(timeoutMs, () => client.countUploads(...args));
    const states: unknown = JSON.parse(answer);
    if (!Array.isArray(states) || states.length !== counted.length)
      throw new Error('not the answer of the script');
    return states;
  }

  return {
    count(upload, otherwise) {
      return new Promise((resolve, reject) => {
        if (waiting.push({ upload, keys: keysOfCaller(upload), otherwise, resolve, reject }) === 1) {
          setImmediate(send);
        }
      });
    },
    async try() {
      const trial = { upload: NOTHING, keys: keysOf('trial') };
      uploadsPerCall = MAX_UPLOADS_PER_CALL;
      try {
        await ask([trial, { upload: NOTHING, keys: keysOf('another trial') }]);
      } catch (error) {
        // A cluster, perhaps behind a proxy, lets one call touch the keys of one slot only: those of one caller.
        if (!(error instanceof Error && /slot/i.test(error.message))) throw error;
        uploadsPerCall = 1;
        await ask([trial]);
      }
    },
  };
}

function verdictOf(
  { limits: { requestsPerMinute, bytesPerDay }, bytes }: LimitedUpload,
  [requestsUsed, requestsMs, bytesUsed, bytesMs]: WindowStates = [0, 0, 0, 0],
): LimitVerdict | undefined {
  const ofRequests =
    requestsPerMinute === undefined
      ? undefined
      : judge('requestsPerMinute', requestsPerMinute, requestsUsed, 1, requestsMs);
  if (bytesPerDay === undefined || ofRequests?.allowed === false) return ofRequests;
  return nearest(ofRequests, judge('bytesPerDay', bytesPerDay, bytesUsed, bytes, bytesMs));
}
