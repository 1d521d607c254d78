import type { Limits, LimitVerdict } from '../grants/ports/limiter.ts';
import { judge, WINDOW_SECONDS } from './verdict.ts';

/** The windows of one bound, in this process. */
export type MemoryWindows = {
  /** Adds `points` to the open window of this caller if the sum stays within `limit`, else changes nothing. */
  count(caller: string, limit: number, points: number, nowMs: number): LimitVerdict;
  /** The verdict on one more point if the open window of this caller has no room for it, else undefined. Counts nothing. */
  exhausted(caller: string, limit: number, nowMs: number): LimitVerdict | undefined;
  /** How many windows take up memory, open ones and others. */
  size(): number;
};

type Window = {
  readonly caller: string;
  readonly endsAtMs: number;
  used: number;
  /** The one that began next. */
  younger: Window | undefined;
};

/**
 * Windows that are counted and forgotten without a timer, in constant time. No more than `maxWindows` are kept; above that the
 * ones that began first are forgotten. Those that are over are forgotten as others begin. `nowMs` must never go back.
 */
export function createMemoryWindows(bound: keyof Limits, maxWindows: number): MemoryWindows {
  const lengthMs = WINDOW_SECONDS[bound] * 1000;
  const windows = new Map<string, Window>();
  // All windows of a bound are equally long, so that in the order of their beginnings the first to be over come first.
  let oldest: Window | undefined;
  let youngest: Window | undefined;
  let chained = 0;

  function begin(caller: string, used: number, nowMs: number): void {
    const window: Window = { caller, endsAtMs: nowMs + lengthMs, used, younger: undefined };
    windows.set(caller, window);
    if (youngest) youngest.younger = window;
    else oldest = window;
    youngest = window;
    chained += 1;
    // Two for each that begins, so that after a burst the memory is given back, and no upload pays for many others.
    for (let turn = 0; turn < 2; turn += 1) {
      if (oldest && (chained > maxWindows || oldest.endsAtMs <= nowMs)) forget(oldest);
    }
  }

  function forget(window: Window): void {
    // Of a caller who has begun anew, the new one stays.
    if (windows.get(window.caller) === window) windows.delete(window.caller);
    oldest = window.younger;
    chained -= 1;
  }

  return {
    count(caller, limit, points, nowMs) {
      const window = windows.get(caller);
      if (window === undefined || window.endsAtMs <= nowMs) {
        const verdict = judge(bound, limit, 0, points, lengthMs);
        if (verdict.allowed) begin(caller, points, nowMs);
        return verdict;
      }
      const verdict = judge(bound, limit, window.used, points, window.endsAtMs - nowMs);
      if (verdict.allowed) window.used += points;
      return verdict;
    },
    exhausted(caller, limit, nowMs) {
      const window = windows.get(caller);
      if (window === undefined || window.endsAtMs <= nowMs || window.used < limit) return undefined;
      return judge(bound, limit, window.used, 1, window.endsAtMs - nowMs);
    },
    size: () => chained,
  };
}
