import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const warningsOf = (text: string) => policyOf(text).warnings;

it.each([
  ['cn-hangzhuo', '; did you mean "cn-hangzhou"?'],
  ['cn-shanhai', '; did you mean "cn-shanghai"?'],
  ['ap-souteast-1', '; did you mean "ap-southeast-1"?'],
  ['xx-nowhere-9', '.'],
])('warns of the region %s, and accepts it', (region, hint) => {
  const text = withRules(ruleLine('r', 'p/')).replace('cn-hangzhou', region);
  expect(warningsOf(text)).toStrictEqual([
    `Target media: the region "${region}" is not known to this version${hint} A new region works all the same.`,
  ]);
});

it.each(['cn-hangzhou', 'cn-wulanchabu', 'me-central-1', 'cn-shanghai-finance-1', 'us-southeast-1'])(
  'knows the region %s',
  (region) => {
    expect(warningsOf(withRules(ruleLine('r', 'p/')).replace('cn-hangzhou', region))).toStrictEqual([]);
  },
);

const PATTERN = 'only values below claims can be patterns.';
const COMMA = 'as one scope with a comma; write several as a list, or with blanks between them.';
it.each([
  ['"uploads:*"', [`"uploads:*" is compared as it is written; ${PATTERN}`]],
  ['"*"', [`"*" is compared as it is written; ${PATTERN}`]],
  ['["a,b", c]', [`"a,b" is compared as it is written, ${COMMA}`]],
  ['a b', []],
  ['https://example.com/up.load', []],
])('warns of the scope %s if it is likely a mistake', (scope, warnings) => {
  const text = withRules(ruleLine('r', 'p/').replace('scope: s', `scope: ${scope}`));
  expect(warningsOf(text)).toStrictEqual(warnings.map((warning) => `Rule r: the scope ${warning}`));
});

it.each([
  ['Sub', 'sub'],
  ['SUB', 'sub'],
  ['Email_Verified', 'email_verified'],
  ['/Realm_access/roles', 'realm_access'],
])('warns of the claim %s', (claim, known) => {
  const warning = `Rule r: no token is known to have the claim "${claim}". Claim names are case-sensitive; did you mean "${known}"?`;
  expect(warningsOf(withRules(ruleLine('r', `p/{${claim}}/`)))).toStrictEqual([warning]);
  expect(
    warningsOf(withRules(ruleLine('r', 'p/').replace('scope: s', `claims: { "${claim}": x }`))),
  ).toStrictEqual([warning]);
});

it.each([
  ['realm_access.roles', '/realm_access/roles'],
  ['resource_access.my-app.roles', '/resource_access/my-app/roles'],
])('warns of the claim %s, which is not nested', (claim, pointer) => {
  const warning = `Rule r: the claim "${claim}" is looked up by this literal name. A nested claim is written "${pointer}"; "/${claim}" keeps the literal name without this warning.`;
  expect(warningsOf(withRules(ruleLine('r', `p/{${claim}}/`)))).toStrictEqual([warning]);
  expect(
    warningsOf(withRules(ruleLine('r', 'p/').replace('scope: s', `claims: { ${claim}: x }`))),
  ).toStrictEqual([warning]);
});

it.each([
  'sub',
  'tenant',
  'userId',
  'kubernetes.io',
  'https://example.com/roles',
  'urn:x:roles',
  '/realm_access/roles',
  '/a.b',
  'a.b/c',
])('accepts the claim %s without a warning', (claim) => {
  expect(warningsOf(withRules(ruleLine('r', `p/{${claim}}/`)))).toStrictEqual([]);
});

it('names rules whose prefixes can overlap in a warning, unless one of them lists the other in sharesPrefixWith', () => {
  const rules = (fields = '') => withRules(ruleLine('own', '{sub}/'), ruleLine('team', '{tenant}/', fields));
  expect(warningsOf(rules())).toStrictEqual([
    'Rules own and team can give different callers the same folder of bucket acme-media: "{sub}/" and "{tenant}/" meet if claims "sub" and "tenant" have matching values. Change a prefix, or set sharesPrefixWith: [team] in rule own if this is meant.',
  ]);
  expect(warningsOf(rules('sharesPrefixWith: [own]'))).toStrictEqual([]);
});

it('checks the names in sharesPrefixWith', () => {
  const fault = (names: string) =>
    faultsOf(withRules(ruleLine('own', '{sub}/'), ruleLine('team', 't/', `sharesPrefixWith: ${names}`)));
  expect(fault('[owm]')).toStrictEqual([
    '7 rules[1].sharesPrefixWith[0]: names the unknown rule "owm"; known rules: own, team; did you mean "own"?',
  ]);
  expect(fault('[team]')).toStrictEqual(['7 rules[1].sharesPrefixWith[0]: names its own rule']);
  expect(fault('own')).toStrictEqual(['7 rules[1].sharesPrefixWith: must be a list, such as [own]']);
});

it('bounds the number of warnings', () => {
  const rules = Array.from({ length: 60 }, (_, index) => ruleLine(`r${index}`, `{c${index}}/`));
  const warnings = warningsOf(withRules(...rules));
  expect(warnings).toHaveLength(21);
  expect(warnings.at(-1)).toBe('There are more rules whose prefixes can meet.');
});

it.each(['policy.example.yaml', 'src/demo/policy.yaml', 'deploy/kubernetes/base/policy.yaml'])(
  '%s has no warnings',
  (name) => {
    const file = readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
    // The policy in the Kubernetes manifests is the value of a ConfigMap.
    const text = /^data:\n {2}policy\.yaml: \|\n/m.test(file)
      ? file.slice(file.indexOf('policy.yaml: |\n') + 'policy.yaml: |\n'.length).replaceAll(/^ {4}/gm, '')
      : file;
    const env = {
      DEMO_ISSUER: 'http://127.0.0.1:8090/',
      DEMO_JWKS_URL: 'http://127.0.0.1:8090/jwks',
      DEMO_OSS_ENDPOINT: 'http://127.0.0.1:9000',
    };
    expect(policyOf(text, env).warnings).toStrictEqual([]);
  },
);

const downloads = (name: string, prefix: string, more = '') =>
  `{ name: ${name}, actions: [download], who: { scope: d }, target: media, prefix: '${prefix}'${more} }`;

it('warns of a rule for downloads that contains the prefix of another rule', () => {
  const warning =
    'Callers of rule all download what is below the prefix of rule own in bucket BUCKET: "users/" contains "users/{sub}/". ' +
    'Change a prefix, or set sharesPrefixWith: [own] in rule all if this is meant.';
  const found = warningsOf(withRules(ruleLine('own', 'users/{sub}/'), downloads('all', 'users/')));
  expect(found.map((one) => one.replace(/bucket \S+:/, 'bucket BUCKET:'))).toStrictEqual([warning]);
  const shared = downloads('all', 'users/', ', sharesPrefixWith: [own]');
  expect(warningsOf(withRules(ruleLine('own', 'users/{sub}/'), shared))).toStrictEqual([]);
  const own = downloads('mine', 'users/{sub}/');
  expect(warningsOf(withRules(ruleLine('own', 'users/{sub}/'), own))).toStrictEqual([]);
});

it('does not warn of the prefix of a rule that only confirms', () => {
  const confirm = "{ name: c, actions: [confirm], who: { scope: c }, target: media, prefix: '{tenant}/' }";
  expect(warningsOf(withRules(ruleLine('own', 'users/{sub}/'), confirm))).toStrictEqual([]);
  const all = confirm.replace('{tenant}/', 'users/');
  expect(
    warningsOf(withRules(ruleLine('own', 'users/{sub}/'), downloads('d', 'users/{sub}/'), all)),
  ).toStrictEqual([]);
});
