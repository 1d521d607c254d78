import process from 'node:process';

/**
 * The longest turn of the event loop while `work` runs: the CPU time that this thread spends between two looks at the loop.
 * CPU time instead of elapsed time, so that other processes on the machine do not decide.
 * @returns milliseconds.
 */
async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longestMicroseconds = 0;
  let isDone = false;
  let before = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    longestMicroseconds = Math.max(longestMicroseconds, user + system);
    if (isDone) return;
    before = process.threadCpuUsage();
    setImmediate(look);
  };
  setImmediate(look);
  await work();
  isDone = true;
  look();
  return longestMicroseconds / 1000;
}

/** The median of the longest turns of three runs, in milliseconds; the first one alone when it is far below `limitMs`. */
export async function medianTurnMs(limitMs: number, work: () => Promise<unknown>): Promise<number> {
  const first = await longestTurnMs(work);
  if (first < limitMs / 2) return first;
  const runs = [first, await longestTurnMs(work), await longestTurnMs(work)];
  return runs.sort((one, other) => one - other)[1] ?? Number.NaN;
}
