export type LogThrottleOptions = {
  readonly intervalMs: number;
  /**
   * How many names are remembered. If that many were logged within the interval, other names are
   * not logged.
   */
  readonly maxNames: number;
};

/**
 * Creates a check for log lines that a client can cause: it is true at most once per name and
 * interval, and at most `maxNames` times per interval in all. Takes bounded memory and constant
 * time.
 */
export function createLogThrottle({
  intervalMs,
  maxNames,
}: LogThrottleOptions): (name: string, nowMs: number) => boolean {
  /** When each name was logged, the oldest first. */
  const loggedAt = new Map<string, number>();
  return (name, nowMs) => {
    for (const [oldest, at] of loggedAt) {
      // A clock that was set back must not silence a name for longer than the interval.
      if (Math.abs(nowMs - at) < intervalMs) break;
      loggedAt.delete(oldest);
    }
    if (loggedAt.has(name) || loggedAt.size >= maxNames) return false;
    loggedAt.set(name, nowMs);
    return true;
  };
}
