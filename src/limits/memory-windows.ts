import type { LIMITS, LimitVerdict } from '../grants/ports/limiter.ts';
import { evaluateWindow } from './evaluate-limits.ts';

/** The windows of one limit, in this process. */
export type MemoryWindows = {
  /** Adds `amount` to the caller's open window if it fits into `limit`; else changes nothing. */
  count(caller: string, limit: number, amount: number, nowMs: number): LimitVerdict;
  /** Returns the verdict that rejects an amount of 1, if the window is full. Counts nothing. */
  exhausted(caller: string, limit: number, nowMs: number): LimitVerdict | undefined;
  /** How many windows take up memory, including ended ones. */
  size(): number;
};

type Window = {
  readonly caller: string;
  readonly endsAtMs: number;
  used: number;
  /** The window that began next. */
  next: Window | undefined;
};

/**
 * Counts windows and drops them in constant time, without a timer.
 *
 * At most `maxWindows` are kept; above that, the oldest are dropped. Ended windows are dropped when
 * others begin. `nowMs` must never go back.
 */
export function createMemoryWindows(
  { name, windowSeconds }: Pick<(typeof LIMITS)[number], 'name' | 'windowSeconds'>,
  maxWindows: number,
): MemoryWindows {
  const windowMs = windowSeconds * 1000;
  const windows = new Map<string, Window>();
  // All windows of a limit are equally long, so they end in the order in which they began.
  let oldest: Window | undefined;
  let newest: Window | undefined;
  let trackedCount = 0;

  function begin(caller: string, used: number, nowMs: number): void {
    const window: Window = { caller, endsAtMs: nowMs + windowMs, used, next: undefined };
    windows.set(caller, window);
    if (newest) newest.next = window;
    else oldest = window;
    newest = window;
    trackedCount += 1;
    // Drop up to two per new window: memory shrinks after a burst, and no upload takes long.
    for (let dropped = 0; dropped < 2; dropped += 1) {
      if (oldest && (trackedCount > maxWindows || oldest.endsAtMs <= nowMs)) drop(oldest);
    }
  }

  function drop(window: Window): void {
    // The map may already hold a newer window of the same caller.
    if (windows.get(window.caller) === window) windows.delete(window.caller);
    oldest = window.next;
    trackedCount -= 1;
  }

  return {
    count(caller, limit, amount, nowMs) {
      const window = windows.get(caller);
      if (window === undefined || window.endsAtMs <= nowMs) {
        const verdict = evaluateWindow(name, limit, 0, amount, windowMs);
        if (verdict.allowed) begin(caller, amount, nowMs);
        return verdict;
      }
      const verdict = evaluateWindow(name, limit, window.used, amount, window.endsAtMs - nowMs);
      if (verdict.allowed) window.used += amount;
      return verdict;
    },
    exhausted(caller, limit, nowMs) {
      const window = windows.get(caller);
      if (window === undefined || window.endsAtMs <= nowMs || window.used < limit) return undefined;
      return evaluateWindow(name, limit, window.used, 1, window.endsAtMs - nowMs);
    },
    size: () => trackedCount,
  };
}
