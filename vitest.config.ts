import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A tenth of the cases; all of them are in vitest.properties.config.ts.
    provide: { propertyRunsDivisor: 10 },
    // Suites of their own, which need more than npm brings; each has a script, test:<folder>.
    exclude: [
      'redis',
      'containers',
      'sdk',
      'clients',
      'browser',
      'package',
      'kubernetes',
      'operations',
      'reliability',
    ].map((folder) => `test/${folder}/**`),
    sequence: { shuffle: true, concurrent: false },
    // Whole processes start in some of them, on machines that are busy with other things.
    testTimeout: 20_000,
    retry: 0,
    // Some tests wait for processes, and leave the cores to others meanwhile.
    maxWorkers: 2 * availableParallelism(),
    // Loading fastify, zod and jose anew for each file takes longer than the tests in it.
    // Processes, not threads: threads share file descriptors, so that what one test closes or a process inherits reaches the others.
    pool: 'forks',
    // In KiB, as threads have: some tests sign tokens that are nested thousands of levels deep.
    execArgv: ['--stack-size=3900'],
    isolate: false,
    allowOnly: false,
    passWithNoTests: false,
  },
});
