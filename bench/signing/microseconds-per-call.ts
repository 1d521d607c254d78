import { performance } from 'node:perf_hooks';
import process from 'node:process';

/**
 * Repeats an operation, one call after the other, and returns the CPU time per call in
 * microseconds, so other processes do not count.
 */
export async function microsecondsPerCall(operation: () => unknown, milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let count = 0;
  while (performance.now() - startedAt < milliseconds) {
    for (let call = 0; call < 100; call++) {
      const result = operation();
      // Awaiting a result that is not a promise would take a large part of a fast operation's time.
      if (result instanceof Promise) await result;
    }
    count += 100;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / count;
}
