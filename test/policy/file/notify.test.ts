import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';
import { receiptFaults } from '../../../src/policy/file/receipt-faults.ts';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const URL = 'https://app.example.com/hooks/t0ken';
/** `whsec_` and base64 of so many different bytes. */
function secretOf(bytes: number, first = 0): string {
  return `whsec_${Buffer.from(Array.from({ length: bytes }, (_, index) => first + index)).toString('base64')}`;
}
const SECRET = secretOf(32);
const env = (HOOK: string) => ({ HOOK });

/** A policy with one rule that has this `notify`. */
const withNotify = (notify: string, fields = '') =>
  withRules(ruleLine('r', 'p/', `notify: ${notify}${fields && `, ${fields}`}`));
const faultsWith = (notify: string, fields?: string, hook = SECRET) =>
  faultsOf(withNotify(notify, fields), env(hook));
const secretFaults = (hook: string) => faultsWith(`{ url: "${URL}", secretEnv: HOOK }`, '', hook);

it('names the receiver, its secrets in their order, and 3 s by default', () => {
  const [rule] = policyOf(
    withNotify(`{ url: "${URL}", secretEnv: HOOK }`),
    env(`${SECRET}  ${secretOf(64)}`),
  ).rules;
  expect(rule?.notify).toStrictEqual({
    url: URL,
    timeoutMs: 3000,
    secrets: [secretOf(32), secretOf(64)].map((one) => Buffer.from(one.slice(6), 'base64')),
  });
  expect(policyOf(withRules(ruleLine('r', 'p/'))).rules[0]?.notify).toBeUndefined();
});

it.each([
  ['1s', 1000],
  ['10', 10_000],
])('takes a timeout of %s', (timeout, timeoutMs) => {
  const [rule] = policyOf(
    withNotify(`{ url: "${URL}", secretEnv: HOOK, timeout: ${timeout} }`),
    env(SECRET),
  ).rules;
  expect(rule?.notify?.timeoutMs).toBe(timeoutMs);
});

it.each(['0s', '11s', '1h', '500ms', '""'])('rejects a timeout of %s', (timeout) => {
  expect(faultsWith(`{ url: "${URL}", secretEnv: HOOK, timeout: ${timeout} }`)).toStrictEqual([
    '6 rules[0].notify.timeout: must be a duration from 1s to 10s, such as 3s',
  ]);
});

it.each(['', '\n', '\r\n'])('reads a secretFile that ends with %j, and one that begins with a BOM', (end) => {
  const files: string[] = [];
  const parsed = parsePolicy(withNotify(`{ url: "${URL}", secretFile: hook.txt }`), {
    env: {},
    readFile(path) {
      files.push(path);
      return `\ufeff${SECRET}${end}`;
    },
  });
  expect('policy' in parsed && parsed.policy.rules[0]?.notify?.secrets).toHaveLength(1);
  expect(files).toStrictEqual(['hook.txt']);
});

describe('an address', () => {
  it.each([
    'http://localhost:3000/h',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'https://a.test:8443/?x=1',
  ])('can be %s', (url) => {
    expect(faultsWith(`{ url: "${url}", secretEnv: HOOK }`)).toStrictEqual([]);
  });

  it.each([
    ['https://user:pass@app.example.com/', /without a user name, password or fragment/],
    ['https://app.example.com/#part', /without a user name, password or fragment/],
    ['http://app.example.com/t0ken', /uses plain http/],
    ['ftp://app.example.com/', /must be an https:\/\/ address/],
    ['app.example.com', /must be an https:\/\/ address/],
    ['https://app.example.com:6667/', /has a port that is reserved for another protocol/],
    ['http://127.0.0.1:1/', /has a port that is reserved for another protocol/],
    [`https://a.test/${'x'.repeat(2048)}`, /is longer than 2048 characters/],
  ])('cannot be %s', (url, fault) => {
    const faults = faultsWith(`{ url: "${url}", secretEnv: HOOK }`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
    expect(faults[0]).toMatch(/^6 rules\[0\]\.notify\.url: /);
    expect(faults[0]).not.toContain('t0ken');
  });

  it('can use plain http to any host with insecureHttp, and is warned about', () => {
    const text = withNotify('{ url: "http://app.example.com/t0ken", secretEnv: HOOK, insecureHttp: true }');
    expect(policyOf(text, env(SECRET)).warnings).toStrictEqual([
      'Notifications of the rule r travel over plain http to app.example.com (insecureHttp): anyone who controls that name or network can replace them.',
    ]);
  });
});

describe('a secret', () => {
  it.each([24, 64])('can have %i bytes', (bytes) => {
    expect(secretFaults(secretOf(bytes))).toStrictEqual([]);
  });

  it.each([
    [secretOf(23), 'holds a secret of 23 bytes once decoded; it must have 24 to 64'],
    [secretOf(65), 'holds a secret of 65 bytes once decoded; it must have 24 to 64'],
    ['whsec_', 'holds a secret of 0 bytes once decoded; it must have 24 to 64'],
    [SECRET.slice(6), 'holds a secret that does not begin with whsec_'],
    [`${SECRET} ${SECRET.toUpperCase()}`, 'holds a secret that does not begin with whsec_'],
    [SECRET.replace(/=+$/, ''), 'holds a secret that is not base64 after whsec_'],
    [`whsec_${'-_'.repeat(16)}`, 'holds a secret that is not base64 after whsec_'],
    [`whsec_${'*'.repeat(32)}`, 'holds a secret that is not base64 after whsec_'],
    [`${SECRET},${secretOf(24)}`, 'holds a secret that is not base64 after whsec_'],
    [
      `whsec_${'AAAA'.repeat(8)}`,
      'holds a secret that is too easy to guess: it consists of fewer than 6 different bytes',
    ],
    [`${SECRET} ${SECRET}`, 'holds a secret twice'],
    [[24, 25, 26, 27, 28].map((bytes) => secretOf(bytes)).join(' '), 'holds more than 4 secrets'],
    [`"${SECRET}"`, 'has quotes around it, which would be part of the secret; remove them'],
    [`${SECRET}\n`, 'begins or ends with a blank or a line break; remove it'],
    [` ${SECRET}`, 'begins or ends with a blank or a line break; remove it'],
    [`${SECRET}\n${secretOf(24)}`, 'contains a line break or another control character'],
    [`${SECRET}\u200bx`, 'contains an invisible character, such as U+200B; remove it'],
    [`whsec_${'A'.repeat(5000)}`, 'holds more than 4096 characters'],
  ])('cannot be %j', (hook, fault) => {
    expect(secretFaults(hook)).toStrictEqual([`6 rules[0].notify.secretEnv: names HOOK, which ${fault}`]);
  });

  it('must be set', () => {
    expect(secretFaults('')).toStrictEqual([
      '6 rules[0].notify.secretEnv: names the environment variable HOOK, which is not set',
    ]);
    expect(faultsWith(`{ url: "${URL}" }`)).toStrictEqual([
      '6 rules[0].notify: has no secret; set secretEnv or secretFile',
    ]);
    expect(faultsWith(`{ url: "${URL}", secretEnv: HOOK, secretFile: f }`)).toContain(
      '6 rules[0].notify: has secretEnv and secretFile; only one of them may be set',
    );
  });
});

it('needs receipts, uploads and SERVICE_KEYS_FILE', () => {
  const notify = `{ url: "${URL}", secretEnv: HOOK }`;
  expect(faultsWith(notify, 'receipts: false')).toStrictEqual([
    '6 rules[0].receipts: must not be false with notify, because uploads are confirmed by their upload id; remove one of the two',
  ]);
  const rule = `{ name: r, who: { scope: s }, target: media, prefix: "p/", actions: [download], notify: ${notify} }`;
  expect(faultsOf(withRules(rule), env(SECRET))).toStrictEqual([
    '6 rules[0].notify: means nothing without upload in actions; leave it out',
  ]);
  const policy = policyOf(withNotify(notify), env(SECRET));
  const settings = { publicUrl: 'https://presign.test', hasServiceKeysFile: false };
  expect(receiptFaults(policy, settings)).toStrictEqual([
    'The rule r has notify, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.',
  ]);
  expect(receiptFaults(policy, { ...settings, hasServiceKeysFile: true })).toStrictEqual([]);
});
