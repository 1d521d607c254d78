export type OccasionallyOptions = {
  readonly intervalMs: number;
  /** How many names are remembered. While that many were seen within the interval, further names get no turn. */
  readonly maxNames: number;
};

/**
 * Creates a check that is true at most once per name and interval, for log lines that a client can cause. In bounded memory and
 * constant time, and at most `maxNames` times per interval in all.
 */
export function createOccasionally({
  intervalMs,
  maxNames,
}: OccasionallyOptions): (name: string, nowMs: number) => boolean {
  /** When each name had its turn, the oldest first. */
  const turns = new Map<string, number>();
  return (name, nowMs) => {
    for (const [oldest, at] of turns) {
      // A clock that was set back must not silence a name for longer than the interval.
      if (Math.abs(nowMs - at) < intervalMs) break;
      turns.delete(oldest);
    }
    if (turns.has(name) || turns.size >= maxNames) return false;
    turns.set(name, nowMs);
    return true;
  };
}
