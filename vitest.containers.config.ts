import { defineConfig } from 'vitest/config';

// One after the other: the tests share one engine and the ports of docker-compose.yml.
export default defineConfig({
  test: {
    include: ['test/containers/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 400_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
