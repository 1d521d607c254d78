import { expect, it } from 'vitest';
import { createPolicyReader } from '../../../src/policy/file/read-policy-file.ts';

const POLICY = `issuers:
  - { issuer: https://ids.example.com, audience: up, secretFile: secrets/jwt }
targets: { media: { bucket: acme-media, region: cn-hangzhou } }
rules: [{ name: own, who: { scope: up }, target: media, prefix: 'users/{sub}/', contentTypes: [image/png], maxSize: 1MiB }]
`;
const SECRETS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'] as const;

it('takes a new secret when its file, next to the policy file, is replaced, and rejects a bad one', () => {
  const files: Record<string, string> = {
    '/etc/oss-presign/policy.yaml': POLICY,
    '/etc/oss-presign/secrets/jwt': `${SECRETS[0]}\n`,
  };
  const read = createPolicyReader('/etc/oss-presign/policy.yaml', {}, (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return text;
  });
  const secretNow = () => {
    const reading = read();
    return 'policy' in reading
      ? Buffer.from(reading.policy.issuers[0]?.secret ?? []).toString()
      : reading.faults;
  };
  const { version } = read();
  expect(secretNow()).toBe(SECRETS[0]);

  files['/etc/oss-presign/secrets/jwt'] = SECRETS[1];
  expect(secretNow()).toBe(SECRETS[1]);
  expect(read().version).not.toBe(version);

  files['/etc/oss-presign/secrets/jwt'] = `"${SECRETS[1]}"`;
  const faults = String(secretNow());
  expect(faults).toContain('issuers[0].secretFile names secrets/jwt, which has quotes around it');
  expect(faults).not.toContain(SECRETS[1]);

  delete files['/etc/oss-presign/secrets/jwt'];
  expect(String(secretNow())).toContain('issuers[0].secretFile cannot be read (ENOENT): secrets/jwt');

  files['/etc/oss-presign/secrets/jwt'] = `${SECRETS[0]}\n`;
  expect(read().version).toBe(version);
});
