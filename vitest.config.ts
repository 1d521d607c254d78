import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
