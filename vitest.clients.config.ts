import { defineConfig } from 'vitest/config';

/** The suite that builds and runs the clients of `examples/` with their real toolchains. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    globalSetup: ['test/clients/workshop.ts'],
    // One after the other: memory and time of the clients are measured.
    fileParallelism: false,
    testTimeout: 120_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
