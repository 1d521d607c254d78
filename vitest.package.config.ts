import { defineConfig } from 'vitest/config';

/** The suite that packs the package, installs it into an empty folder as a stranger would, and runs what it brings. Needs the registry. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 200_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
