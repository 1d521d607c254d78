// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the policy file look like template strings
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillPlaceholders } from '../../../src/policy/file/placeholders.ts';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const firstRule = (text: string, env: Record<string, string> = {}) => policyOf(text, env).rules[0];
const withFields = (fields: string) => withRules(ruleLine('r', 'p/', fields));

it.each<[string, Record<string, string>, string]>([
  ['${A}', { A: 'x' }, 'x'],
  ['a/${A}/${B}/', { A: 'x', B: 'y' }, 'a/x/y/'],
  ['${A:-d}', {}, 'd'],
  ['${A:-d}', { A: '' }, 'd'],
  ['${A:-d}', { A: 'x' }, 'x'],
  ['${A:-}', {}, ''],
  ['${A:-a:-b c}', {}, 'a:-b c'],
  ['${A}', { A: '${B}', B: 'no' }, '${B}'],
  ['${A:-1}${B}', { B: "$&$1$'" }, "1$&$1$'"],
  ['{sub}-$A', {}, '{sub}-$A'],
])('%s with %j is %s', (source, env, text) => {
  expect(fillPlaceholders(source, env)).toStrictEqual({ text });
});

it.each<[string, string[]]>([
  ['${A}', ['${A} names an environment variable that is not set']],
  ['${A}${B:-x}${C}', ['${A}', '${C}'].map((one) => `${one} names an environment variable that is not set`)],
  ['${constructor}', ['${constructor} names an environment variable that is not set']],
  ...['${}', '${1A}', '${A-b}', '${A:?b}', '${A:=b}', '${ A }', '${A.B}'].map((one): [string, string[]] => [
    one,
    [`"${one}" is not a placeholder; write \${NAME} or \${NAME:-default}`],
  ]),
  ...['${A:-$', '${A:-users/', '${A:-'].map((one): [string, string[]] => [
    `${one}{sub}/}`,
    [`"${one}" has a default that holds a brace or does not end; a default must not contain "{" or "}"`],
  ]),
  ['a${A', ['"${A" is not a placeholder; write ${NAME} or ${NAME:-default}']],
])('rejects %s', (source, faults) => {
  expect(fillPlaceholders(source, {})).toStrictEqual({ faults });
});

it('a value never becomes a placeholder, and never reaches a fault', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (value) => {
      expect(fillPlaceholders('<${A}>', { A: value })).toStrictEqual({ text: `<${value}>` });
    }),
  );
});

it.each<[string, string, unknown]>([
  ['60', 'limits: { requestsPerMinute: "${V}" }', { limits: { requestsPerMinute: 60 } }],
  ['5GiB', 'limits: { bytesPerDay: "${V}" }', { limits: { bytesPerDay: 5 * 1024 ** 3 } }],
  ['true', 'overwrite: "${V}"', { overwrite: true }],
  ['false', 'overwrite: "${V:-true}"', { overwrite: false }],
  ['True', 'overwrite: "${V}"', { overwrite: true }],
  ['TRUE', 'keepFilename: "${V}"', { keepFilename: true }],
  ['False', 'overwrite: "${V:-true}"', { overwrite: false }],
  ['FALSE', 'overwrite: "${V:-true}"', { overwrite: false }],
  ['', 'overwrite: "${V:-true}"', { overwrite: true }],
  ['15m', 'expiresIn: "${V}"', { expiresIn: { defaultSeconds: 900, maxSeconds: 900 } }],
  ['900', 'expiresIn: { max: "${V}" }', { expiresIn: { defaultSeconds: 600, maxSeconds: 900 } }],
  ['server', 'naming: "${V}"', { naming: 'server' }],
  ['a, b ,c', 'metadata: { allowed: "${V}" }', { metadata: { allowed: ['a', 'b', 'c'], required: [] } }],
  ['a,,b, ,', 'metadata: { allowed: "${V}" }', { metadata: { allowed: ['a', 'b'], required: [] } }],
  [' , ', 'metadata: { allowed: ["${V}"] }', { metadata: { allowed: [], required: [] } }],
  ['', 'metadata: { allowed: "${V:-}" }', { metadata: { allowed: [], required: [] } }],
  ['cacheControl', 'clientHeaders: "${V}"', { clientHeaders: ['cacheControl'] }],
])('the value %s for %s', (value, fields, expected) => {
  expect(firstRule(withFields(fields), { V: value })).toMatchObject(expected as object);
});

it.each([
  'contentTypes: ${TYPES}',
  'contentTypes: ["${TYPES}"]',
  'contentTypes: ["${TYPES}", "${MORE:-a/b}"]',
])('splits a list at commas: %s', (field) => {
  const rule = `name: r\n    who: { scope: s }\n    target: media\n    prefix: p/\n    maxSize: 1\n    ${field}`;
  const types = firstRule(withRules(rule), { TYPES: 'image/png, text/csv' })?.contentTypes;
  expect(types?.slice(0, 2)).toStrictEqual(['image/png', 'text/csv']);
});

it('a comma is part of an audience, a scope and a claim value, and these stay texts', () => {
  const text = withRules(
    ruleLine('r', 'p/').replace('scope: s', 'claims: { level: "${NO}", dn: ["${DN}"], on: "${ON}" }'),
  ).replace('audience: uploads', 'audience: "${AUD}"');
  const { issuers, rules } = policyOf(text, { AUD: 'a,b', NO: '7', DN: 'cn=a,ou=b', ON: 'true' });
  expect(issuers[0]?.audience).toStrictEqual(['a,b']);
  expect(rules[0]?.who.claims?.map(({ values }) => values)).toStrictEqual([['7'], ['cn=a,ou=b'], ['true']]);
});

it('takes placeholders for a target: bucket, region and path style', () => {
  const text = withFields('').replace(
    '{ bucket: acme-media, region: cn-hangzhou }',
    '{ bucket: "${B}", region: "${R:-cn-shanghai}", endpoint: "${E}", pathStyle: "${P}", insecureHttp: "${P}" }',
  );
  const env = { B: 'bkt', E: 'http://emulator:9000', P: 'true' };
  expect(firstRule(text, env)?.target).toMatchObject({
    bucket: 'bkt',
    region: 'cn-shanghai',
    endpoint: { addressing: 'path' },
  });
});

it.each([
  [
    'limits: { requestsPerMinute: "${V}" }',
    'rules[0].limits.requestsPerMinute: must be a whole number, such as 60',
  ],
  ['overwrite: "${V}"', 'rules[0].overwrite: must be true or false'],
  ['naming: "${V}"', 'rules[0].naming: must be one of client, server, either'],
  [
    'expiresIn: "${V}"',
    'rules[0].expiresIn: must be a duration of at least one second, such as 90s, 10m or 1h',
  ],
  [
    'clientHeaders: "${V}"',
    'rules[0].clientHeaders[0]: must be one of cacheControl, contentDisposition, contentEncoding',
  ],
  [
    'sharesPrefixWith: ["${V}"]',
    'rules[0].sharesPrefixWith[0]: names the unknown rule "${V}"; known rules: r',
  ],
  ['"${V}": 1', 'rules[0]["${V}"]: is not a field of the policy file'],
])('no fault holds a value of the environment: %s', (fields, fault) => {
  expect(faultsOf(withFields(fields), { V: 'Value-0f-The-Environment' })).toStrictEqual([`6 ${fault}`]);
});

it('an unset variable is one fault at its line, and the other faults are reported as well', () => {
  const text = withRules(
    `name: r\n    who: { scope: s }\n    target: "\${T}"\n    prefix: "\${P}/{sub}/"\n    contentTypes: [image/*]\n    maxSize: x\n    "\${K}": 1`,
  );
  expect(faultsOf(text)).toStrictEqual([
    '8 : ${T} names an environment variable that is not set',
    '9 : ${P} names an environment variable that is not set',
    '11 rules[0].maxSize: must be "unlimited" or a size greater than 0, such as 500KiB, 50MiB or 1GB',
    '12 : ${K} names an environment variable that is not set',
  ]);
});

// Two conditions under one name would be one, which lets more callers in.
it('rejects names that placeholders make equal, or that are __proto__', () => {
  const text = withRules(ruleLine('r', 'p/').replace('scope: s', 'claims: { role: a, "${C}": b }'));
  expect(faultsOf(text, { C: 'role' })).toStrictEqual(['6 : "${C}" is used twice']);
  expect(faultsOf(text, { C: '__proto__' })).toStrictEqual([
    '6 : "__proto__" cannot be a name in the policy file',
  ]);
  expect(policyOf(text, { C: 'team' }).rules[0]?.who.claims).toHaveLength(2);
});
