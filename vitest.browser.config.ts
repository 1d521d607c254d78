import { defineConfig } from 'vitest/config';

/** The suite that drives the pages of `examples/browser` and `/docs` in a real Chromium: CHROMIUM names it, by default the one of Debian. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    // One after the other: the memory of the browser is measured.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
