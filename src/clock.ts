/**
 * Returns the current instant. Code that needs the time takes a clock as an argument, so that tests
 * can set it.
 */
export type Clock = () => Date;

/** The clock of the machine. Only entry points use it (`main.ts`, `cli/main.ts`, `demo/`). */
export const systemClock: Clock = () => new Date();

/**
 * Returns the milliseconds that are left of a time span.
 * @param since when the span began. The result is 0 if it is undefined, or if it is in the future
 *   because the clock was set back.
 */
export function remainingMs(since: Date | undefined, spanMs: number, now: Date): number {
  const elapsedMs = since ? now.getTime() - since.getTime() : spanMs;
  return elapsedMs >= 0 ? Math.max(0, spanMs - elapsedMs) : 0;
}
