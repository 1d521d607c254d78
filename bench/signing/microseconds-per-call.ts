import { performance } from 'node:perf_hooks';
import process from 'node:process';

/**
 * Repeats an operation for a while, one after the other, and returns the time of the processor that one took, in
 * microseconds: what else runs on the machine does not count.
 */
export async function microsecondsPerCall(operation: () => unknown, milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let count = 0;
  while (performance.now() - startedAt < milliseconds) {
    for (let call = 0; call < 100; call++) {
      const result = operation();
      // Waiting for what is there already would cost a quick operation a good part of its time.
      if (result instanceof Promise) await result;
    }
    count += 100;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / count;
}
