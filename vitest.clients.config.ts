import { defineConfig } from 'vitest/config';

/** The suite that builds and runs the clients of `examples/` with their real toolchains. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    globalSetup: ['test/clients/global-setup.ts'],
    // One after the other: memory and time of the clients are measured.
    fileParallelism: false,
    // Within a file some tests run side by side, because clients wait before they repeat something.
    maxConcurrency: 4,
    testTimeout: 120_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
