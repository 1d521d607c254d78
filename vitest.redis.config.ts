import { defineConfig } from 'vitest/config';

/** The suite that needs a real `redis-server` or `valkey-server` on the PATH; it starts and stops its own. */
export default defineConfig({
  test: {
    include: ['test/redis/**/*.test.ts'],
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 20_000,
  },
});
