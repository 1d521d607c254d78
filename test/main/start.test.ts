import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, run, start } from '../support/main-process.ts';
import { replaceBySwap } from '../support/mounted-volume.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('starts with an access key for a user without a home directory', async () => {
  const noHome = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
    os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT'); }; syncBuiltinESMExports();`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(noHome)}`;
  const child = start(folderWithPolicy(), { ...CREDENTIALS, NODE_OPTIONS: preload });
  expect(await logLine(child, 'listening')).toHaveProperty('address');
});

it('reports everything that is missing, exits with 1, and prints no stack trace', async () => {
  const folder = folderWithPolicy();
  rmSync(join(folder, 'policy.yaml'));
  expect(await run(folder, { LOG_LEVEL: 'loud', OSS_SESSION_TOKEN: 'token' })).toStrictEqual({
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        [
          '^oss-presign does not start:',
          '  - LOG_LEVEL .*',
          '  - OSS_ACCESS_KEY_ID .*is not set.*',
          '  - OSS_ACCESS_KEY_SECRET .*is not set.*',
          '  - POLICY_FILE cannot be read \\(ENOENT\\): policy.yaml\\. .*',
          '$',
        ].join('\\n'),
      ),
    ),
    code: 1,
  });
});

it.each(['PORT', 'METRICS_PORT'])('reports that %s is in use, and exits with 1', async (variable) => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { stderr, code } = await run(folderWithPolicy(), { ...CREDENTIALS, [variable]: port });
  expect({ stderr, code }).toStrictEqual({
    stderr: `oss-presign does not start:\n  - 127.0.0.1 port ${port} is taken by another process; set ${variable} or HOST to another.\n`,
    code: 1,
  });
});

it('serves, and exits with 0 on SIGTERM, with nothing on stderr', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, METRICS_PORT: '0' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = text(child.stderr);
  const { metricsAddress, ...line } = await logLine(child, 'listening');
  expect(line).toStrictEqual({
    level: 'info',
    time: expect.any(String),
    version: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    nodeVersion: process.version,
    address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    policyVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
    rules: 1,
    issuers: 1,
    credentialsSource: 'environment',
    limiterMode: 'memory',
    auditMode: 'lossy',
    corsOrigins: [],
    msg: 'listening',
  });
  const ready = await fetch(`${metricsAddress}/readyz`);
  expect([ready.status, (await ready.text()).replace(/\b[0-9a-f]{12}\b/, 'VERSION')]).toStrictEqual([
    200,
    'ok lifecycle\nok credentials: static\nok issuer keys: https://login.test/ loaded\nok policy: version VERSION, 1 rule\nok service keys: of this process only\nok limiter: in memory\nok storage\nok clock: within limits\nok log output: written\n',
  ]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(await stderr).toBe('');
});

it('applies a new policy when Kubernetes swaps the volume, rejects a bad one, and reloads on SIGHUP', async () => {
  const issuer = createTestIssuer();
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const mount = (policyYaml: string) =>
    replaceBySwap(folder, { 'policy.yaml': policyYaml, 'jwks.json': JSON.stringify(issuer.jwks) });
  mount(policyWith());
  const child = start('/', { ...CREDENTIALS, POLICY_FILE: join(folder, 'policy.yaml'), METRICS_PORT: '0' });
  const { address, metricsAddress } = await logLine(child, 'listening');
  child.stdout.resume();
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const prefixes = async () => {
    const response = await fetch(`${address}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
    const { rules } = (await response.json()) as { rules: { prefix: string }[] };
    return rules.map(({ prefix }) => prefix);
  };
  const policyLine = async () =>
    (await (await fetch(`${metricsAddress}/readyz`)).text()).match(/^.* policy: .*$/m)?.[0];
  expect(await prefixes()).toStrictEqual(['users/alice/']);

  mount(policyWith({ rules: [ownFilesRule({ prefix: 'people/{sub}/' })] }));
  await vi.waitFor(async () => expect(await prefixes()).toStrictEqual(['people/alice/']), 5000);

  mount('rules: []');
  await vi.waitFor(
    async () => expect(await policyLine()).toMatch(/^ok policy: .*; the file now holds .* rejected$/),
    5000,
  );
  expect(await prefixes()).toStrictEqual(['people/alice/']);

  mount(policyWith({ rules: [ownFilesRule({ prefix: 'members/{sub}/' })] }));
  child.kill('SIGHUP');
  await vi.waitFor(async () => expect(await prefixes()).toStrictEqual(['members/alice/']), 5000);

  // Only a reload logs that the file has not changed; polling does not.
  const unchanged = logLine(child, 'the policy file is unchanged');
  child.kill('SIGHUP');
  await unchanged;
});
