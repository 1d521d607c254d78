import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestIssuer } from '../support/tokens.ts';

const jwks = JSON.stringify(createTestIssuer().jwks);

it('prints JSON alone, from POLICY_FILE or from --policy, which wins, without credentials', async () => {
  const files = { 'a.yaml': policyWith(), 'jwks.json': jwks };
  const byOption = await runCli(['ram-policy', '--policy', 'a.yaml'], {
    files,
    env: { POLICY_FILE: 'other.yaml' },
  });
  expect([byOption.code, byOption.stderr]).toStrictEqual([0, '']);
  expect(JSON.parse(byOption.stdout).Statement[0].Resource).toStrictEqual([
    'acs:oss:*:*:acme-media/users/*/*',
  ]);
  expect(await runCli(['ram-policy'], { files, env: { POLICY_FILE: 'a.yaml' } })).toStrictEqual(byOption);
});

it('notes beside the JSON which rule needs rights on a KMS key', async () => {
  const policy = policyWith({
    rules: [ownFilesRule({ headers: { 'X-Oss-Server-Side-Encryption': 'KMS' } })],
  });
  const { code, stdout, stderr } = await runCli(['ram-policy'], {
    files: { 'policy.yaml': policy, 'jwks.json': jwks },
  });
  expect(code).toBe(0);
  expect(() => JSON.parse(stdout)).not.toThrow();
  expect(stderr).toMatch(/^note: rule own-files encrypts with KMS; .*kms:GenerateDataKey and kms:Decrypt/);
});

it('ends 2 with every fault of a policy that is not right, and prints nothing', async () => {
  const policy = policyWith({ rules: [ownFilesRule({ maxSize: '6GiB', who: {} })] });
  const { code, stdout, stderr } = await runCli(['ram-policy'], {
    files: { 'policy.yaml': policy, 'jwks.json': jwks },
  });
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr.split('\n').filter((line) => line.startsWith('error: policy.yaml:'))).toHaveLength(2);
});

it('ends 2 when there is no policy file', async () => {
  const { code, stderr } = await runCli(['ram-policy', '--policy', 'nowhere.yaml']);
  expect(code).toBe(2);
  expect(stderr).toContain('cannot be read (ENOENT): nowhere.yaml');
});

it('says what is wrong with POLICY_FILE', async () => {
  expect(await runCli(['ram-policy'], { env: { POLICY_FILE: "'policy.yaml'" } })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: POLICY_FILE is in quotation marks; leave them out\.\n/),
  });
});
