import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, run, start } from '../../support/main-process.ts';
import { replaceBySwap } from '../../support/mounted-volume.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { createTestIssuer } from '../../support/tokens.ts';

it('starts with an access key for a user without a home directory', async () => {
  const noHome = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
    os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT'); }; syncBuiltinESMExports();`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(noHome)}`;
  const child = start(folderWithPolicy(), { ...CREDENTIALS, NODE_OPTIONS: preload });
  expect(await logLine(child, 'listening')).toHaveProperty('address');
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
