import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { writeNewFile } from '../../src/cli/write-new-file.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { policyWith } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('the process reports a usage error on stderr, and exits with 2', () => {
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, 'bucket-cors', '--origin'], {
    env: COMPILE_CACHE,
    encoding: 'utf8',
  });
  expect([stdout, status]).toStrictEqual(['', 2]);
  expect(stderr).toMatch(/^error: /);
});

it.each([
  ['other.yaml', 'already exists. Remove it first, or choose another name'],
  ['nowhere/file.json', 'cannot be written (ENOENT)'],
])('writes no document over another file or into a missing folder: %s', async (name, fault) => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'other.yaml'), 'mine');
  const output = join(folder, name);
  const jwks = JSON.stringify(createTestIssuer().jwks);
  const files = { 'other.yaml': policyWith(), 'jwks.json': jwks };
  const outcome = await runCli(['ram-policy', '--policy', 'other.yaml', '--output', output], {
    files,
    writeFile: writeNewFile,
  });
  expect(outcome).toStrictEqual({
    code: 2,
    stdout: '',
    stderr: `error: --output ${output} ${fault}.\nSee: oss-presign ram-policy --help\n`,
  });
  expect(readdirSync(folder)).toStrictEqual(['other.yaml']);
  expect(readFileSync(join(folder, 'other.yaml'), 'utf8')).toBe('mine');
});
