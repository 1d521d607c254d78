import { defineConfig } from 'vitest/config';

/** The suite that needs `promtool` and `prometheus` on the PATH: they judge `docs/operations` and read a real service. */
export default defineConfig({
  test: {
    include: ['test/operations/**/*.test.ts'],
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 60_000,
  },
});
