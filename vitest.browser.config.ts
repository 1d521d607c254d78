import { defineConfig } from 'vitest/config';

/**
 * The suite that opens pages in real browsers: those of `examples/browser` and `/docs`, the README's snippets, and objects of every type
 * that a wildcard matches. CHROMIUM and FIREFOX name the programs, by default those of Debian. It installs Uppy from the registry.
 */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    // One after the other: the memory of the browser is measured.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
