/** Limits how many calls are in progress at the same time. No call waits for another one. */
export type CallLimit = {
  readonly max: number;
  /** Returns whether the call may be made; if so, `leave` must follow. */
  enter(): boolean;
  leave(): void;
};

/** One limit for all buckets of the process, so that a slow storage does not exhaust it. */
export function createCallLimit(max: number): CallLimit {
  let inProgress = 0;
  return {
    max,
    enter() {
      if (inProgress >= max) return false;
      inProgress += 1;
      return true;
    },
    leave() {
      inProgress -= 1;
    },
  };
}
