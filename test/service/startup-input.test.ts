import { expect, it } from 'vitest';
import { loadStartupInput } from '../../src/service/startup-input.ts';
import { decodeTextFile } from '../../src/text/text-file.ts';
import { ownFilesRule, policyWith, testIssuerEntry } from '../support/policies.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { createTestIssuer } from '../support/tokens.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const jwks = JSON.stringify(createTestIssuer().jwks);

function readFrom(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path.replace(/^.*\//, '')];
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  };
}

function faultsOf(env: Record<string, string>, files: Record<string, string>): readonly string[] {
  const input = loadStartupInput(env, readFrom(files));
  return 'faults' in input ? input.faults : [];
}

it('accepts credentials, a policy and its key set', () => {
  expect(faultsOf(CREDENTIALS, { 'policy.yaml': policyWith(), 'jwks.json': jwks })).toStrictEqual([]);
});

it('reports the faults of environment and policy together', () => {
  const policy = policyWith({ rules: [ownFilesRule({ who: {}, maxSize: '6GiB' })] });
  expect(faultsOf({ PORT: 'x', OSS_ACCESS_KEY_ID: 'TheKeyId' }, { 'policy.yaml': policy })).toStrictEqual([
    'PORT must be a whole number from 0 to 65535.',
    'OSS_ACCESS_KEY_SECRET (or OSS_ACCESS_KEY_SECRET_FILE) is not set: without credentials nothing can be signed.',
    'policy.yaml:4 issuers[0].jwksFile cannot be read (ENOENT): jwks.json.',
    'policy.yaml:13 rules[0].who would match every caller: name at least one of scope, claims and issuer.',
    'policy.yaml:19 rules[0].maxSize must not be more than 5 GiB, the limit of OSS for one PUT; for larger files, add multipart to transfers.',
  ]);
});

it('checks a policy again only if one of its files has changed', () => {
  const files: Record<string, string> = { 'policy.yaml': policyWith(), 'jwks.json': jwks };
  const input = loadStartupInput(CREDENTIALS, readFrom(files));
  if ('faults' in input) throw new Error(input.faults.join());
  const { policy: first, readPolicy } = input;
  expect(readPolicy()).toBe(first);

  files['jwks.json'] = JSON.stringify(createTestIssuer().jwks);
  const withOtherKeys = readPolicy();
  expect(withOtherKeys).toMatchObject({ policy: expect.anything() });
  expect(withOtherKeys.version).not.toBe(first.version);

  delete files['policy.yaml'];
  const missing = readPolicy();
  expect(missing).toMatchObject({ faults: [expect.stringContaining('ENOENT')] });
  expect(readPolicy()).toBe(missing);

  files['policy.yaml'] = policyWith();
  expect(readPolicy()).toStrictEqual(withOtherKeys);
  files['jwks.json'] = jwks;
  expect(readPolicy()).toStrictEqual(first);
});

it('looks for the key set in the folder of the policy', () => {
  const asked: string[] = [];
  loadStartupInput({ ...CREDENTIALS, POLICY_FILE: '/etc/presign/policy.yaml' }, (path) => {
    asked.push(path);
    return path.endsWith('.yaml') ? policyWith() : jwks;
  });
  expect([...new Set(asked)]).toStrictEqual(['/etc/presign/policy.yaml', '/etc/presign/jwks.json']);
});

it.each([
  [
    'an unknown key',
    (policy: string) => `${policy}surprise: 1\n`,
    /^policy\.yaml:\d+ surprise is not a field of the policy file; possible here: issuers, targets, rules\.$/,
  ],
  [
    'no rules',
    (policy: string) => policy.replace(/rules:[\s\S]*/, 'rules: []\n'),
    /rules must hold at least one rule/,
  ],
  [
    'no issuers',
    (policy: string) => policy.replace(/issuers:[\s\S]*targets/, 'issuers: []\ntargets'),
    /issuers must name at least one/,
  ],
  [
    'no audience',
    (policy: string) => policy.replace(/ *audience.*\n/, ''),
    /issuers\[0\]\.audience is missing/,
  ],
  ['broken YAML', () => 'issuers: [', /^policy\.yaml:\d+ is not valid YAML/],
  ['nothing in it', () => '', /issuers is missing/],
])('rejects a policy with %s', (_name, change, message) => {
  const faults = faultsOf(CREDENTIALS, { 'policy.yaml': change(policyWith()), 'jwks.json': jwks });
  expect(
    faults.some((fault) => message.test(fault)),
    faults.join('\n'),
  ).toBe(true);
});

it('does not start without a policy, and names the missing file', () => {
  expect(faultsOf({ ...CREDENTIALS, POLICY_FILE: '/nowhere/p.yaml' }, {})).toStrictEqual([
    'POLICY_FILE cannot be read (ENOENT): /nowhere/p.yaml. Copy policy.example.yaml to /nowhere/p.yaml to begin.',
  ]);
});

it('names the line of a policy that is not UTF-8, and the key set that is not', () => {
  const encoded = (text: string): string => decodeTextFile(Buffer.from(text, 'latin1'));
  const faultsWith = (policy: string, keys: string) => {
    const input = loadStartupInput(CREDENTIALS, (path) => encoded(path.endsWith('.yaml') ? policy : keys));
    return 'faults' in input ? input.faults : [];
  };
  const policy = policyWith();
  const line = policy.slice(0, policy.indexOf('prefix:')).split('\n').length;
  expect(faultsWith(policy.replace('prefix: ', 'prefix: Müller/'), jwks)).toStrictEqual([
    `policy.yaml:${line} is not UTF-8: line ${line} has other bytes; save it as UTF-8.`,
  ]);
  expect(faultsWith(policy, `{"ü": 1}`)).toStrictEqual([
    'policy.yaml:4 issuers[0].jwksFile is not UTF-8: line 1 has other bytes; save it as UTF-8: jwks.json.',
  ]);
});

it('names a variable that may be mistyped, and the one that is missing', () => {
  const { OSS_ACCESS_KEY_SECRET, ...rest } = CREDENTIALS;
  const files = { 'policy.yaml': policyWith(), 'jwks.json': jwks };
  const warning =
    'OSS_SECRET_ACCESS_KEY is not a variable of the service and has no effect. Did you mean OSS_ACCESS_KEY_SECRET?';
  expect(faultsOf({ ...rest, OSS_SECRET_ACCESS_KEY: OSS_ACCESS_KEY_SECRET }, files)).toStrictEqual([
    'OSS_ACCESS_KEY_SECRET (or OSS_ACCESS_KEY_SECRET_FILE) is not set: without credentials nothing can be signed.',
    warning,
  ]);
  expect(loadStartupInput({ ...CREDENTIALS, OSS_SECRET_ACCESS_KEY: 'x' }, readFrom(files))).toMatchObject({
    warnings: [warning, expect.stringMatching(/^SERVICE_KEYS_FILE is not set/)],
  });
});

it.each(['"policy.yaml"', ' policy.yaml', 'policy.yaml\n'])('reports POLICY_FILE=%j once', (path) => {
  const faults = faultsOf({ ...CREDENTIALS, POLICY_FILE: path }, { 'policy.yaml': policyWith() });
  expect(faults).toStrictEqual([expect.stringMatching(/^POLICY_FILE (is in quotation|must not)[^.]+\.$/)]);
});

it('rejects a policy whose tokens a receipt could pass as, at startup and when the file changes', () => {
  const env = {
    ...CREDENTIALS,
    SERVICE_KEYS_FILE: 'keys.json',
    PUBLIC_URL: 'https://presign.example.com/',
  };
  const colliding = policyWith({ issuers: [testIssuerEntry({ audience: 'https://presign.example.com' })] });
  const files = { 'policy.yaml': colliding, 'jwks.json': jwks, 'keys.json': serviceKeysFile('a') };
  const fault = expect.stringMatching(/^PUBLIC_URL https:\/\/presign\.example\.com is also an audience /);
  expect(faultsOf(env, files)).toStrictEqual([fault]);

  files['policy.yaml'] = policyWith();
  const input = loadStartupInput(env, readFrom(files));
  if ('faults' in input) throw new Error(input.faults.join());
  files['policy.yaml'] = colliding;
  expect(input.readPolicy()).toMatchObject({ faults: [fault] });
});

it('compares the policy with the default of PUBLIC_URL too', () => {
  const policy = policyWith({ issuers: [testIssuerEntry({ audience: 'http://localhost:8080/' })] });
  expect(faultsOf(CREDENTIALS, { 'policy.yaml': policy, 'jwks.json': jwks })).toHaveLength(1);
});

it('reads the service keys, and later versions of them', () => {
  const env = { ...CREDENTIALS, SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.example.com' };
  const files = { 'policy.yaml': policyWith(), 'jwks.json': jwks, 'keys.json': serviceKeysFile('first') };
  const input = loadStartupInput(env, readFrom(files));
  if ('faults' in input) throw new Error(input.faults.join());
  expect(input.serviceKeys?.first.keys.signing.kid).toBe('first');
  expect(input.warnings).toStrictEqual([]);
  files['keys.json'] = serviceKeysFile('second');
  expect(input.serviceKeys?.read()).toMatchObject({ keys: { signing: { kid: 'second' } } });
  files['keys.json'] = '{}';
  expect(faultsOf(env, files)).toStrictEqual([
    'SERVICE_KEYS_FILE keys.json: must be a JWK set, {"keys": […]}; create it with oss-presign keygen.',
  ]);
});

const CALLBACK_FILES = {
  'policy.yaml': policyWith({ rules: [ownFilesRule({ callback: true })] }),
  'jwks.json': jwks,
  'keys.json': serviceKeysFile('first'),
};

it('warns if OSS cannot call PUBLIC_URL although a rule has a callback, and rejects an IPv6 address', () => {
  const env = { ...CREDENTIALS, SERVICE_KEYS_FILE: 'keys.json' };
  const warned = loadStartupInput({ ...env, PUBLIC_URL: 'https://10.1.2.3' }, readFrom(CALLBACK_FILES));
  expect(warned).toMatchObject({ warnings: [expect.stringContaining('OSS cannot call PUBLIC_URL')] });
  const fine = loadStartupInput(
    { ...env, PUBLIC_URL: 'https://presign.example.com' },
    readFrom(CALLBACK_FILES),
  );
  expect(fine).toMatchObject({ warnings: [] });
  expect(faultsOf({ ...env, PUBLIC_URL: 'https://[fd00::1]' }, CALLBACK_FILES)).toStrictEqual([
    expect.stringContaining('is an IPv6 address, which OSS never calls'),
  ]);
});
