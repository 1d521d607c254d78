import { defineConfig } from 'vitest/config';

/** The property tests with all of their cases. `npm test` runs the same files with a tenth of the cases. */
export default defineConfig({
  test: {
    include: ['test/**/*.properties.test.ts'],
    provide: { propertyRunsDivisor: 1 },
    sequence: { shuffle: true, concurrent: false },
    testTimeout: 300_000,
    retry: 0,
    pool: 'threads',
    isolate: false,
    allowOnly: false,
    passWithNoTests: false,
  },
});
