import { defineConfig } from 'vitest/config';

/** The suite that needs Go on the PATH: it builds kustomize and holds `deploy/kubernetes` to the schema of Kubernetes. */
export default defineConfig({
  test: {
    include: ['test/kubernetes/**/*.test.ts'],
    globalSetup: 'test/kubernetes/prepare-tools.ts',
    sequence: { shuffle: true, concurrent: false },
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    testTimeout: 20_000,
  },
});
