import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { findFreePort } from '../redis/redis-server.ts';
import { testPolicyYaml } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

/** A process of the command line in a folder with a policy of an unusual name. */
function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  policy = testPolicyYaml(),
) {
  const cwd = mkdtempSync(join(tmpdir(), 'oss-presign-cli-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'other.yaml'), policy);
  writeFileSync(join(cwd, 'jwks.json'), JSON.stringify(createTestIssuer().jwks));
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, stderr: text(child.stderr) };
}

it('answers on stdout with exit code 0, by the version of the package', async () => {
  const { child, ended, stderr } = start(['--version']);
  expect([await text(child.stdout), await stderr, await ended]).toStrictEqual([
    `${packageJson.version}\n`,
    '',
    0,
  ]);
});

it('tells what is wrong on stderr with exit code 2', async () => {
  const { child, ended, stderr } = start(['bucket-cors', '--policy', 'other.yaml']);
  expect([await text(child.stdout), await ended]).toStrictEqual(['', 2]);
  expect(await stderr).toMatch(/^error: no origin is given/);
});

it('ends without a complaint when the reader of its output has gone', async () => {
  const nobody = `http://127.0.0.1:${await findFreePort()}`;
  const policy = testPolicyYaml()
    .replace('jwksFile: jwks.json', `jwksUrl: ${nobody}/jwks`)
    .replace('region: cn-hangzhou', `region: cn-hangzhou, endpoint: '${nobody}'`);
  const { child, ended, stderr } = start(['check', '--policy', 'other.yaml'], {}, policy);
  child.stdout.destroy();
  await ended;
  expect(await stderr).toBe('');
});

it('start serves by the policy of --policy until SIGTERM, and then ends 0', async () => {
  const { child, ended, stderr } = start(['start', '--policy', 'other.yaml'], { ...CREDENTIALS, PORT: '0' });
  let address: unknown;
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line);
    if (entry.msg === 'listening') address = entry.address;
    if (address) break;
  }
  child.stdout.resume();
  expect((await fetch(`${address}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect([await ended, await stderr]).toStrictEqual([0, '']);
});

it('start refuses as npm start does, and ends 1', async () => {
  const { ended, stderr } = start(['start', '--policy', 'nowhere.yaml'], CREDENTIALS);
  expect(await ended).toBe(1);
  expect(await stderr).toBe(
    'oss-presign does not start:\n  - POLICY_FILE cannot be read (ENOENT): nowhere.yaml. Without a policy nobody may upload anything.\n',
  );
});
