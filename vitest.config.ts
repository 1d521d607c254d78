import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Suites of their own, which need more than npm brings: npm run test:redis, npm run test:containers.
    exclude: ['test/redis/**', 'test/containers/**'],
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
