/** Returns the current instant. Code that needs the time takes a clock as argument, so that tests can freeze it. */
export type Clock = () => Date;

/** The clock of the machine. Only entry points (`main.ts`, `cli/main.ts`, `demo/`) use it. */
export const systemClock: Clock = () => new Date();

/** Milliseconds left of a span; 0 if it has not begun, or begins in the future because the clock was set back. */
export function remainingMs(since: Date | undefined, spanMs: number, now: Date): number {
  const elapsedMs = since ? now.getTime() - since.getTime() : spanMs;
  return elapsedMs >= 0 ? Math.max(0, spanMs - elapsedMs) : 0;
}
