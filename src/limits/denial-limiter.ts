import type { DenialLimiter } from '../grants/ports/limiter.ts';
import { createMemoryWindows } from './memory-windows.ts';
import { nameCaller } from './name-caller.ts';

/** Far above what a client with a bug causes that retries a few times, far below what costs the service anything. */
const DENIALS_PER_MINUTE = 600;

/** Some 0.5 kB each at most, since issuer and subject are bounded. */
const MAX_CALLERS = 20_000;

export type DenialLimiterOptions = {
  /** Milliseconds of a clock that never goes back, whatever the machine's time is set to. */
  readonly nowMs: () => number;
  /** Default 600. */
  readonly denialsPerMinute?: number;
  /** How many callers are remembered; above it the windows that began first are forgotten. Default 20,000. */
  readonly maxCallers?: number;
};

/**
 * Counts in the memory of this process, exactly. A caller without a denial in the last minute costs one look into a map, and nothing is
 * asked of Redis: of n replicas, each allows the whole limit.
 */
export function createDenialLimiter({
  nowMs,
  denialsPerMinute = DENIALS_PER_MINUTE,
  maxCallers = MAX_CALLERS,
}: DenialLimiterOptions): DenialLimiter {
  const windows = createMemoryWindows('requestsPerMinute', maxCallers);
  const nameOf = ({ issuer, subject }: Parameters<DenialLimiter['count']>[0]) =>
    nameCaller({ issuer, subject, rule: '' });
  return {
    check: (caller) =>
      windows.size() === 0 ? undefined : windows.exhausted(nameOf(caller), denialsPerMinute, nowMs()),
    count: (caller) => windows.count(nameOf(caller), denialsPerMinute, 1, nowMs()),
  };
}
