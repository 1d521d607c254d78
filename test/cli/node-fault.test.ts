import process from 'node:process';
import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeFault } from '../../src/cli/node-fault.ts';

it.each(['24.0.0', '26.10.0', '100.0.0', process.versions.node])('will do with Node.js %s', (version) => {
  expect(nodeFault(packageJson.engines.node, version)).toBeUndefined();
});

it('says which Node.js it needs', () => {
  expect(nodeFault(packageJson.engines.node, '22.23.1')).toBe(
    'oss-presign needs Node.js 24 or newer, and this is 22.23.1.',
  );
});
