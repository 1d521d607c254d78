// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the policy file look like template strings
import { expect, it } from 'vitest';
import { faultsOf, ruleLine, withRules } from './policy-file-text.ts';

const GOOD = withRules(ruleLine('r', 'p/'));

it.each<[string, string, string]>([
  [
    '`${…}` in { }',
    'issuers:\n  - { issuer: https://a, audience: ${AUD}, secretEnv: S }\n',
    '2 : put quotes around ${AUD} within { } and [ ]',
  ],
  ['`${…:-…}` in { }', 'a: { b: ${AUD:-x} }', '1 : put quotes around ${AUD:-x} within { } and [ ]'],
  ['`${…}` in [ ]', 'a:\n  b: [image/png, ${TYPES}]', '2 : put quotes around ${TYPES} within { } and [ ]'],
  ['`${…}` after text in { }', 'a: { b: x-${Y}/z }', '1 : put quotes around x-${Y} within { } and [ ]'],
  [
    '`${…}` in { } of several lines',
    'a: {\n  b: 1,\n  c: ${D},\n  e: f }',
    '3 : put quotes around ${D} within { } and [ ]',
  ],
  ['a claim in { }', 'a: { prefix: users/{sub}/ }', '1 : put quotes around users/{sub} within { } and [ ]'],
  [
    'a claim at the beginning',
    'a: 1\nprefix: {sub}/\n',
    '2 : put quotes around text that begins with "{", such as "{sub}/"',
  ],
  [
    'an unquoted *',
    'a: *\n',
    '1 : put quotes around text that begins with "*"; without quotes, YAML takes it for a reference',
  ],
  [
    'an unquoted */*',
    'a: [image/png, */*]\n',
    '1 : put quotes around "*/*"; without quotes, YAML takes it for a reference',
  ],
  [
    'an unquoted @',
    'a: @x',
    '1 : put quotes around this text; it begins with a character that YAML reserves',
  ],
  ['a tab as indentation', 'issuers:\n\t- a\n\t- b\n', '2 : use spaces, not a tab'],
  ['a tab after spaces', 'issuers:\n  - issuer: x\n  \taudience: y\n', '3 : use spaces, not a tab'],
  ['tabs everywhere', GOOD.replaceAll('\n  ', '\n\t'), '2 : use spaces, not a tab'],
  [
    'a bracket that stays open',
    'a: [1, 2\nb: 3',
    '2 : is not valid YAML: wrong indentation, or a bracket that is not closed before this line',
  ],
  [
    'a colon within a text',
    'a: b: c',
    '1 : put quotes around text that holds ": ", and indent all fields of a mapping alike',
  ],
  [
    'a quote that stays open',
    'a: "b\nc: 1',
    '1 : is not valid YAML: a quotation mark on this line is not closed',
  ],
  [
    'a quote that stays open in a list, far before the end',
    'a: 1\nb: ["${AUD}]\nc: 1\nd:\n  - e\n',
    '2 : is not valid YAML: a quotation mark on this line is not closed',
  ],
  [
    'a single quote that stays open after others',
    "a: 'x'\nb: 'y\nc: 1\n",
    '2 : is not valid YAML: a quotation mark on this line is not closed',
  ],
  [
    'a field that is indented less than the first of its entry',
    'rules:\n  - name: r\n   target: t\n',
    '3 : is not valid YAML: wrong indentation, or a "-" is missing',
  ],
  [
    'text behind a quoted value',
    'a: "x" y\n',
    '1 : is not valid YAML: text follows a value that has ended; put quotes around the whole value',
  ],
  [
    'an escape',
    'a: "\\q"',
    '1 : invalid escape in double quotes; write "\\\\" for a backslash, or use single quotes',
  ],
  ['much nesting', '['.repeat(50_000), '1 : is not valid YAML: brackets or lists are nested too deeply'],
  ['a list as a name', '? [a]\n: b', '1 : has a list or a mapping as the name of a field'],
  ['a field twice in { }', 'a: { b: 1, c: 2, b: 3 }', '1 : "b" is used twice'],
  ['a long text', `a: ${'x'.repeat(16385)}`, '1 : a text has 16385 characters; at most 16384 are allowed'],
  [
    'a long name',
    `? ${'x'.repeat(16385)}\n: 1`,
    '1 : a text has 16385 characters; at most 16384 are allowed',
  ],
  ['too many characters', `#${'x'.repeat(2 * 1024 ** 2)}`, '1 : is longer than 2097152 characters'],
])('one fault for %s', (_name, text, fault) => {
  expect(faultsOf(text, { AUD: 'a' })).toStrictEqual([fault]);
});

it.each<[string, string]>([
  ['a byte order mark', `\ufeff${GOOD}`],
  ['Windows line ends', GOOD.replaceAll('\n', '\r\n')],
  ['document marks', `---\n${GOOD}...\n`],
  ['comments with braces and tabs', `# { a: \${X}, b: {c}\n${GOOD}\t# [\n`],
  [
    'braces and references in quotes',
    GOOD.replace('contentTypes: [image/*]', 'contentTypes: ["*/*", \'image/*\']'),
  ],
  [
    'a claim in block style',
    GOOD.replace(
      / {2}- \{ (name.*) \}/s,
      (_all, rule: string) => `  - ${rule.replaceAll(', ', '\n    ').replace('"p/"', 'users/{sub}/')}`,
    ),
  ],
])('reads a policy with %s', (_name, text) => {
  expect(faultsOf(text)).toStrictEqual([]);
});

it('reads JSON', () => {
  const policy = {
    issuers: [{ issuer: 'https://a.example/', audience: 'a' }],
    targets: { t: { bucket: 'bkt', region: 'cn-hangzhou' } },
    rules: [
      { name: 'r', who: { scope: 's' }, target: 't', prefix: 'p/{sub}/', contentTypes: ['a/b'], maxSize: 1 },
    ],
  };
  expect(faultsOf(JSON.stringify(policy, null, 2))).toStrictEqual([]);
  expect(faultsOf(JSON.stringify(policy))).toStrictEqual([]);
});

// Quadratic work would take minutes here.
it('checks tens of thousands of unknown fields and wrong names in little time', () => {
  const before = process.threadCpuUsage();
  const fields = Array.from({ length: 20_000 }, (_, index) => `field${index}: 1\n`).join('');
  expect(faultsOf(withRules(ruleLine('r', 'p/')) + fields)).toHaveLength(51);
  const rules = Array.from({ length: 500 }, (_, index) =>
    ruleLine(`r${index}`, 'p/', `sharesPrefixWith: [x${index}]`),
  );
  expect(faultsOf(withRules(...rules))).toHaveLength(51);
  expect(process.threadCpuUsage(before).user / 1e6).toBeLessThan(5);
});

it('reports no more than 50 faults, and how many are left', () => {
  const faults = faultsOf(withRules(...Array.from({ length: 100 }, (_, index) => `{ name: r${index} }`)));
  expect(faults).toHaveLength(51);
  expect(faults.at(-1)).toBe('16 : 450 more faults from here on');
});
