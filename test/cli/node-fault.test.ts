import process from 'node:process';
import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeFault } from '../../src/cli/node-fault.ts';

it.each(['24.16.0', '24.21.0', '26.1.0', '26.10.0', '27.0.0', '100.0.0', process.versions.node])(
  'accepts Node.js %s',
  (version) => {
    expect(nodeFault(packageJson.engines.node, version)).toBeUndefined();
  },
);

// `crypto.randomUUIDv7` came with 24.16 and 26.1.
it.each(['22.23.1', '24.15.2', '25.9.0', '26.0.0'])(
  'rejects Node.js %s, and names those that it accepts',
  (version) => {
    expect(nodeFault(packageJson.engines.node, version)).toBe(
      `oss-presign needs Node.js ^24.16.0 || >=26.1.0, and this is ${version}.`,
    );
  },
);
