import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { logLine } from '../../support/main-process.ts';
import { mediaTarget, policyWith, testIssuerEntry } from '../../support/policies.ts';
import { findFreePort } from '../../support/redis-server.ts';
import { createTestIssuer } from '../../support/tokens.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;

/** A process of the command line in a folder with a policy of an unusual name. */
function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  policy = policyWith(),
  dotEnv?: string,
) {
  const cwd = mkdtempSync(join(tmpdir(), 'oss-presign-cli-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'other.yaml'), policy);
  if (dotEnv !== undefined) writeFileSync(join(cwd, '.env'), dotEnv);
  writeFileSync(join(cwd, 'jwks.json'), JSON.stringify(createTestIssuer().jwks));
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { cwd, child, ended, stderr: text(child.stderr) };
}

it('prints the version of the package on stdout, and exits with 0', async () => {
  const { child, ended, stderr } = start(['--version']);
  expect([await text(child.stdout), await stderr, await ended]).toStrictEqual([
    `${packageJson.version}\n`,
    '',
    0,
  ]);
});

it('reports a usage error on stderr, and exits with 2', async () => {
  const { child, ended, stderr } = start(['bucket-cors', '--policy', 'other.yaml']);
  expect([await text(child.stdout), await ended]).toStrictEqual(['', 2]);
  expect(await stderr).toMatch(/^error: no origin is given/);
});

it('exits without an error when its output is closed', async () => {
  const unusedOrigin = `http://127.0.0.1:${await findFreePort()}`;
  const policy = policyWith({
    issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: `${unusedOrigin}/jwks` })],
    targets: { media: mediaTarget({ endpoint: unusedOrigin }) },
  });
  const { child, ended, stderr } = start(['check', '--policy', 'other.yaml'], {}, policy);
  child.stdout.destroy();
  await ended;
  expect(await stderr).toBe('');
});

it('exits with 2 and the reason when its output cannot be written, as on a full disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keys.json'), '');
  const readOnly = openSync(join(folder, 'keys.json'), 'r');
  onTestFinished(() => closeSync(readOnly));
  const child = spawn(process.execPath, [main, 'keygen'], {
    cwd: folder,
    env: COMPILE_CACHE,
    stdio: ['ignore', readOnly, 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = text(child.stderr as NonNullable<typeof child.stderr>);
  expect([await stderr, await ended]).toStrictEqual(['error: the output cannot be written (EBADF).\n', 2]);
});

it('start serves with the policy of --policy until SIGTERM, and then exits with 0', async () => {
  const { child, ended, stderr } = start(['start', '--policy', 'other.yaml'], {
    ...CREDENTIALS,
    PORT: '0',
    SHUTDOWN_DELAY_SECONDS: '0',
  });
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

it('start prints the faults that keep it from starting, and exits with 1', async () => {
  const { ended, stderr } = start(['start', '--policy', 'nowhere.yaml'], CREDENTIALS);
  expect(await ended).toBe(1);
  expect(await stderr).toBe(
    'oss-presign does not start:\n  - POLICY_FILE cannot be read (ENOENT): nowhere.yaml. Copy policy.example.yaml to nowhere.yaml to begin.\n',
  );
});

it('start reads variables that are not set from .env, and prints their names', async () => {
  const dotEnv = `POLICY_FILE=other.yaml\nPORT=1\nOSS_ACCESS_KEY_ID=TheKeyId\nOSS_ACCESS_KEY_SECRET=TheKeySecret\n`;
  const { child, ended, stderr } = start(['start'], { PORT: '0' }, policyWith(), dotEnv);
  for await (const line of createInterface(child.stdout)) if (line.includes('"listening"')) break;
  child.stdout.resume();
  child.kill('SIGINT');
  expect([await ended, await stderr]).toStrictEqual([
    0,
    'note: read from .env: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, POLICY_FILE\n',
  ]);
});

it('start gives the library of Alibaba Cloud its variables of .env', async () => {
  const dotEnv = 'POLICY_FILE=other.yaml\nALIBABA_CLOUD_CREDENTIALS_FILE=profiles\nMETRICS_PORT=0\n';
  const profiles =
    '[default]\ntype = access_key\naccess_key_id = TheKeyId\naccess_key_secret = TheKeySecret\n';
  const { cwd, child } = start(['start'], { PORT: '0', HOME: '/none' }, policyWith(), dotEnv);
  writeFileSync(join(cwd, 'profiles'), profiles);
  const { metricsAddress } = await logLine(child, 'listening');
  child.stdout.resume();
  const readiness = async () => (await fetch(`${metricsAddress}/readyz`)).text();
  await vi.waitFor(async () => expect(await readiness()).toContain('\nok credentials: profile'), 10_000);
});

it('check gives the library of Alibaba Cloud its variables of .env, as start does', async () => {
  const dotEnv = 'POLICY_FILE=other.yaml\nALIBABA_CLOUD_CREDENTIALS_FILE=profiles\n';
  const profiles =
    '[default]\ntype = access_key\naccess_key_id = TheKeyId\naccess_key_secret = TheKeySecret\n';
  const { cwd, child } = start(['check'], { HOME: '/none' }, policyWith(), dotEnv);
  writeFileSync(join(cwd, 'profiles'), profiles);
  expect(await text(child.stdout)).toMatch(/^ok +credentials: profile/m);
});

it('start rejects a .env that it cannot parse completely', async () => {
  const { ended, stderr } = start(['start'], {}, policyWith(), 'OSS_ACCESS_KEY_SECRET="TheKeySecret\n');
  expect([await ended, await stderr]).toStrictEqual([
    2,
    'error: .env line 1: the quotation mark before the value is never closed.\nSee: oss-presign start --help\n',
  ]);
});

it('writes a document to a new file with --output', async () => {
  const command = ['ram-policy', '--policy', 'other.yaml', '--output', 'ram-policy.json'];
  const { cwd, child, ended, stderr } = start(command);
  expect([await text(child.stdout), await ended, await stderr]).toStrictEqual([
    '',
    0,
    'Wrote ram-policy.json.\n',
  ]);
  expect(JSON.parse(readFileSync(join(cwd, 'ram-policy.json'), 'utf8'))).toHaveProperty('Version', '1');
  expect(readdirSync(cwd).sort()).toStrictEqual(['jwks.json', 'other.yaml', 'ram-policy.json']);
});
