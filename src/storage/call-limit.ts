/** Limits how many calls are in progress at the same time. No call waits for another one. */
export type CallLimit = {
  readonly max: number;
  /** Of long calls. */
  readonly maxLong: number;
  /**
   * Counts a call.
   * @returns the function to call once when the call has ended; undefined if it may not be made.
   */
  enter(length: 'short' | 'long'): (() => void) | undefined;
};

/** The rest is enough for thousands of short calls per second, if they take a few milliseconds. */
const LONG_SHARE = 0.75;

/**
 * One limit for all buckets of the process, so that a slow storage does not exhaust it. Long calls
 * are at most three quarters of the calls. Otherwise one caller, with uploads that take a minute to
 * complete, would keep all others from short calls for as long.
 */
export function createCallLimit(max: number): CallLimit {
  const maxLong = Math.ceil(max * LONG_SHARE);
  let inProgress = 0;
  let longInProgress = 0;
  return {
    max,
    maxLong,
    enter(length) {
      const isLong = length === 'long';
      if (inProgress >= max || (isLong && longInProgress >= maxLong)) return undefined;
      inProgress += 1;
      if (isLong) longInProgress += 1;
      return () => {
        inProgress -= 1;
        if (isLong) longInProgress -= 1;
      };
    },
  };
}
