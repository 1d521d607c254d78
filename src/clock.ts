/** The current instant. Everything that needs the time takes one of these, so that tests can freeze it. */
export type Clock = () => Date;

/** The machine's own clock. Only process edges (`main.ts`, `demo/`) use it. */
export const systemClock: Clock = () => new Date();

/** What is left of a span; 0 as well when it never began, or lies in the future, as it does after the clock was set back. */
export function remainingMs(since: Date | undefined, spanMs: number, now: Date): number {
  const elapsedMs = since ? now.getTime() - since.getTime() : spanMs;
  return elapsedMs >= 0 ? Math.max(0, spanMs - elapsedMs) : 0;
}
