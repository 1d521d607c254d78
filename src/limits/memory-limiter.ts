import type { LimitedUpload, Limiter, LimitVerdict } from '../grants/ports/limiter.ts';
import { createMemoryWindows } from './memory-windows.ts';
import { nameCaller } from './name-caller.ts';
import { nearest } from './verdict.ts';

const MAX_WINDOWS = 100_000;

export type MemoryLimiterOptions = {
  /** Milliseconds of a clock that never goes back, whatever the machine's time is set to. */
  readonly nowMs: () => number;
  /** How many windows are kept per bound; above it the ones that began first are forgotten. Default 100,000. */
  readonly maxWindows?: number;
};

/** A limiter that answers at once. */
export type MemoryLimiter = Omit<Limiter, 'consume'> & {
  consume(upload: LimitedUpload): LimitVerdict | undefined;
};

/**
 * Counts within this process, exactly for the last `maxWindows` callers of each bound and in bounded memory. Both bounds are
 * decided and counted in one step, without a timer and without waiting for anything.
 */
export function createMemoryLimiter({
  nowMs,
  maxWindows = MAX_WINDOWS,
}: MemoryLimiterOptions): MemoryLimiter {
  const requests = createMemoryWindows('requestsPerMinute', maxWindows);
  const bytes = createMemoryWindows('bytesPerDay', maxWindows);

  return {
    consume(upload) {
      const { requestsPerMinute, bytesPerDay } = upload.limits;
      if (requestsPerMinute === undefined && bytesPerDay === undefined) return undefined;
      const now = nowMs();
      const caller = nameCaller(upload);
      const ofRequests =
        requestsPerMinute === undefined ? undefined : requests.count(caller, requestsPerMinute, 1, now);
      if (bytesPerDay === undefined || ofRequests?.allowed === false) return ofRequests;
      return nearest(ofRequests, bytes.count(caller, bytesPerDay, upload.bytes, now));
    },
    describe: () => ({ ok: true, detail: 'in memory' }),
    mode: () => 'memory',
    close: () => Promise.resolve(),
  };
}
