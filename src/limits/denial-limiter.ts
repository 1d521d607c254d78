import type { DenialLimiter } from '../grants/ports/limiter.ts';
import { callerKey } from './caller-key.ts';
import { createMemoryWindows } from './memory-windows.ts';

const PER_MINUTE = { name: 'requestsPerMinute', windowSeconds: 60 } as const;

/** Far above what a faulty client causes with retries, and far below what slows the service. */
const DENIALS_PER_MINUTE = 600;

/** At most 0.5 kB each, because the lengths of issuer and subject are limited. */
const MAX_CALLERS = 20_000;

export type DenialLimiterOptions = {
  /** Milliseconds of a clock that never goes back, even if the machine's time is changed. */
  readonly nowMs: () => number;
  /** Default 600. */
  readonly denialsPerMinute?: number;
  /** How many callers are tracked; above it, the oldest windows are dropped. Default 20,000. */
  readonly maxCallers?: number;
};

/**
 * Counts denials exactly, in the memory of this process.
 *
 * A caller without a denial in the last minute costs one map look-up. Redis is not used, so each
 * replica allows the whole limit.
 */
export function createDenialLimiter({
  nowMs,
  denialsPerMinute = DENIALS_PER_MINUTE,
  maxCallers = MAX_CALLERS,
}: DenialLimiterOptions): DenialLimiter {
  const windows = createMemoryWindows(PER_MINUTE, maxCallers);
  const keyOf = ({ issuer, subject }: Parameters<DenialLimiter['count']>[0]) =>
    callerKey({ issuer, subject, rule: '' });
  return {
    check: (caller) =>
      windows.size() === 0 ? undefined : windows.exhausted(keyOf(caller), denialsPerMinute, nowMs()),
    count: (caller) => windows.count(keyOf(caller), denialsPerMinute, 1, nowMs()),
  };
}
