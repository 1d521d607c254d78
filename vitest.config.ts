import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

type Options = NonNullable<TestProjectInlineConfiguration['test']>;

/**
 * The suites that need more than npm installs, or the machine for themselves. Each is a folder of
 * `test/` with the script `npm run test:NAME`, and fails if something that it needs is missing.
 */
const SUITES: Readonly<Record<string, Options>> = {
  /**
   * Opens pages in Chromium and Firefox: the examples, `/docs`, the demo, and objects of every type
   * that a wildcard matches. The variables CHROMIUM and FIREFOX name the programs. Installs Uppy.
   */
  browser: {
    // The memory of the browser is measured.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
  /** Builds and runs the clients of `examples/` with their toolchains. */
  clients: {
    globalSetup: ['test/clients/global-setup.ts'],
    // The memory and the time of the clients are measured.
    fileParallelism: false,
    // Clients wait before they retry, so some tests of a file run at the same time.
    maxConcurrency: 4,
    testTimeout: 120_000,
  },
  /** Needs a container engine. */
  containers: {
    // The tests share one engine and the ports of docker-compose.yml.
    fileParallelism: false,
    // The tests of a file share its containers, and some of them restart those.
    sequence: { shuffle: false },
    testTimeout: 60_000,
    hookTimeout: 400_000,
  },
  /** Needs Go: builds kustomize, and checks `deploy/kubernetes` against the schema of Kubernetes. */
  kubernetes: {
    globalSetup: ['test/kubernetes/prepare-tools.ts'],
    testTimeout: 20_000,
  },
  /** Needs 8 GiB of disk space: uploads gigabytes in parts, and kills the processes meanwhile. */
  large: {
    // The memory and the time of the processes are measured.
    fileParallelism: false,
    testTimeout: 240_000,
  },
  /** Needs `promtool` and `prometheus`: they check `docs/operations` and scrape a real service. */
  operations: { testTimeout: 60_000 },
  /**
   * Needs the npm registry: packs the package, installs it into an empty folder and runs it. Starts
   * the service, the commands and the demo as processes, one or more for each test.
   */
  package: {
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 200_000,
  },
  /** Needs `redis-server` or `valkey-server`; starts and stops its own. */
  redis: { testTimeout: 20_000 },
  /** Loads one process to its limits. SOAK_SECONDS is the duration of the soak test. */
  reliability: {
    // A second file would compete for the cores.
    fileParallelism: false,
    testTimeout: 60_000,
  },
  /**
   * Needs Go, Python, Java and Maven: compares the official SDKs with our signer and emulator, and
   * verifies receipts with JWT libraries.
   */
  sdk: {
    globalSetup: ['test/sdk/build-programs.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
};

export default defineConfig(({ mode }) => {
  // `vitest run --mode properties` runs the property tests alone, with all of their cases.
  const hasAllCases = mode === 'properties';

  /** The project of `npm test`: all tests outside the folders of `SUITES`. */
  const byDefault: Options = {
    name: 'default',
    include: [hasAllCases ? 'test/**/*.properties.test.ts' : 'test/**/*.test.ts'],
    exclude: Object.keys(SUITES).map((folder) => `test/${folder}/**`),
    provide: { propertyRunsDivisor: hasAllCases ? 1 : 10 },
    // Some tests start whole processes, on machines that are busy.
    testTimeout: hasAllCases ? 300_000 : 20_000,
    // Some tests wait, so a worker per core would leave cores idle. Each further worker loads all
    // modules once more.
    maxWorkers: availableParallelism() + 1,
    // Loading fastify, zod and jose for each file takes longer than the tests in it.
    isolate: false,
    // Threads share file descriptors, so a test could close those of another one.
    pool: 'forks',
    // In KiB, as much as threads have: some tests sign tokens with thousands of nested levels.
    execArgv: ['--stack-size=3900'],
  };

  const suites = Object.entries(SUITES).map(([name, options], index): Options => {
    // Projects whose numbers of workers differ have to run one after the other.
    const sequence = { ...options.sequence, groupOrder: index + 1 };
    return { ...options, name, include: [`test/${name}/**/*.test.ts`], sequence };
  });

  return {
    test: {
      // Every project inherits these.
      // Without a seed here, each project would take its own, and Vitest would print none of them.
      sequence: { shuffle: true, concurrent: false, seed: Date.now() },
      retry: 0,
      allowOnly: false,
      passWithNoTests: false,
      // `npm run coverage` reports which lines of `src` the tests run in their own processes. The
      // services, demos and commands that tests start as processes of their own do not count.
      coverage: {
        include: ['src/**/*.ts'],
        // Generated lists.
        exclude: ['src/policy/registered-types.ts', 'src/policy/type-extensions.ts'],
        reporter: ['text', 'html'],
      },
      projects: [byDefault, ...suites].map((test) => ({ test })),
    },
  };
});
