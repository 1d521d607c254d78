import { performance } from 'node:perf_hooks';

/** Repeats an operation for a while, one after the other, and returns how long one took, in microseconds. */
export async function microsecondsPerCall(operation: () => unknown, milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  let elapsed = 0;
  while (elapsed < milliseconds) {
    for (let call = 0; call < 100; call++) {
      const result = operation();
      // Waiting for what is there already would cost a quick operation a good part of its time.
      if (result instanceof Promise) await result;
    }
    count += 100;
    elapsed = performance.now() - startedAt;
  }
  return (elapsed * 1000) / count;
}
