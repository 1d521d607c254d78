import { defineConfig } from 'vitest/config';

/** The suite that needs Go, Python, Java and Maven on the PATH: the official SDKs judge our signer and our emulator. */
export default defineConfig({
  test: {
    include: ['test/sdk/**/*.test.ts'],
    globalSetup: 'test/sdk/build-judges.ts',
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
