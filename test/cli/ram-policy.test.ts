import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestIssuer } from '../support/tokens.ts';

const jwks = JSON.stringify(createTestIssuer().jwks);

it('prints only JSON, for the policy of --policy or else of POLICY_FILE, without credentials', async () => {
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

it.each([
  [['put'], ['oss:PutObject', 'oss:GetObject', 'oss:PutObjectTagging']],
  [
    ['multipart'],
    ['oss:PutObject', 'oss:GetObject', 'oss:PutObjectTagging', 'oss:ListParts', 'oss:AbortMultipartUpload'],
  ],
])('prints what uploads with tags by %j need', async (transfers, actions) => {
  const policy = policyWith({
    rules: [ownFilesRule({ transfers, headers: { 'X-Oss-Tagging': 'team=web' } })],
  });
  const { stdout } = await runCli(['ram-policy'], { files: { 'policy.yaml': policy, 'jwks.json': jwks } });
  const { Statement } = JSON.parse(stdout) as { Statement: { Action: string[]; Resource: string[] }[] };
  expect(Statement.flatMap(({ Action }) => Action)).toStrictEqual(actions);
  expect(new Set(Statement.flatMap(({ Resource }) => Resource))).toStrictEqual(
    new Set(['acs:oss:*:*:acme-media/users/*/*']),
  );
});

it('prints a note on stderr about each rule that needs a KMS key', async () => {
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

it('exits with 2 and every fault of the policy, and prints no document', async () => {
  const policy = policyWith({ rules: [ownFilesRule({ maxSize: '6GiB', who: {} })] });
  const { code, stdout, stderr } = await runCli(['ram-policy'], {
    files: { 'policy.yaml': policy, 'jwks.json': jwks },
  });
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr.split('\n').filter((line) => line.startsWith('error: policy.yaml:'))).toHaveLength(2);
});

it('exits with 2 if there is no policy file', async () => {
  const { code, stderr } = await runCli(['ram-policy', '--policy', 'nowhere.yaml']);
  expect(code).toBe(2);
  expect(stderr).toContain('cannot be read (ENOENT): nowhere.yaml');
});

it('reports the fault of POLICY_FILE', async () => {
  expect(await runCli(['ram-policy'], { env: { POLICY_FILE: "'policy.yaml'" } })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: POLICY_FILE is in quotation marks; leave them out\.\n/),
  });
});
