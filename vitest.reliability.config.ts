import { defineConfig } from 'vitest/config';

/**
 * The suite that loads one process as far as it goes, and so needs the machine for itself: one file after the other.
 * SOAK_SECONDS says how long the soak lasts.
 */
export default defineConfig({
  test: {
    include: ['test/reliability/**/*.test.ts'],
    fileParallelism: false,
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 60_000,
  },
});
