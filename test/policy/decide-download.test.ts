import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.ts';
import { decideDownload, downloadQuestion, findDownloadRules } from '../../src/policy/decide-download.ts';
import type { DownloadRequest } from '../../src/policy/download-request.ts';
import { ruleVerdicts } from '../../src/policy/rule-verdicts.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

type Fields = Readonly<Record<string, unknown>>;

const rule = (fields: Fields = {}): Fields => ({
  name: 'r',
  actions: ['download'],
  who: { scope: 's' },
  target: 'media',
  prefix: 'users/{sub}/',
  ...fields,
});

const ALICE: Caller = {
  issuer: 'https://login.test/',
  subject: 'alice',
  scopes: ['s'],
  claims: { sub: 'alice' },
};

const policyOf = (rules: readonly Fields[]) => {
  const targets = { media: mediaTarget(), archive: { bucket: 'acme-archive', region: 'cn-shanghai' } };
  return policyFrom(policyWith({ targets, rules }), createTestIssuer());
};

const requestOf = (change: Partial<DownloadRequest>): DownloadRequest => ({
  disposition: 'attachment',
  ...change,
});

function decide(
  rules: readonly Fields[],
  key: string,
  change: Partial<DownloadRequest> = {},
  caller: Partial<Caller> = {},
) {
  const found = findDownloadRules(policyOf(rules), { ...ALICE, ...caller }, requestOf({ key, ...change }));
  return decideDownload(found, { key, pointer: '/key' });
}

function resultOf(decision: ReturnType<typeof decide>): readonly string[] {
  return decision.allowed
    ? [decision.grant.rule.name]
    : decision.violations.map(({ pointer, code }) => `${pointer} ${code}`);
}

const shared = rule({
  name: 'shared',
  prefix: 'shared/',
  inline: true,
  expiresIn: { default: '1m', max: '2m' },
});

describe('the first rule that allows the whole request grants a key', () => {
  it.each<[string, readonly Fields[], string, Partial<DownloadRequest>, readonly string[]]>([
    ['below the own prefix', [rule(), shared], 'users/alice/a.png', {}, ['r']],
    ['below the prefix of the second rule', [rule(), shared], 'shared/a.png', {}, ['shared']],
    ['the first of two', [rule(), rule({ name: 'second' })], 'users/alice/a', {}, ['r']],
    [
      'the one that allows inline',
      [rule(), rule({ name: 'second', inline: true })],
      'users/alice/a',
      { disposition: 'inline' },
      ['second'],
    ],
    [
      'the one that allows the expiry',
      [rule({ expiresIn: '1m' }), rule({ name: 'second' })],
      'users/alice/a',
      { expiresIn: 61 },
      ['second'],
    ],
    [
      'the one of the requested target',
      [rule(), rule({ name: 'second', target: 'archive' })],
      'users/alice/a',
      { target: 'archive' },
      ['second'],
    ],
    [
      'a rule with both actions',
      [rule({ actions: ['upload', 'download'], contentTypes: ['*/*'], maxSize: 1 })],
      'users/alice/a',
      {},
      ['r'],
    ],
    ['at the longest expiry', [shared], 'shared/a', { expiresIn: 120 }, ['shared']],
    ['with a name', [rule()], 'users/alice/a', { filename: '报告.pdf' }, ['r']],
    [
      'with a name that systems run and the key has',
      [rule()],
      'users/alice/Setup.EXE',
      { filename: 'setup-1.2.exe' },
      ['r'],
    ],
    ['in Unicode', [rule()], 'users/alice/Caf\u00e9/报告 😀.pdf', {}, ['r']],
  ])('%s', (_name, rules, key, change, expected) => {
    expect(resultOf(decide(rules, key, change))).toStrictEqual(expected);
  });
});

describe('no rule grants', () => {
  const long = `users/alice/${'é'.repeat(600)}`;
  it.each<[string, readonly Fields[], string, Partial<DownloadRequest>, readonly string[]]>([
    ["another caller's key", [rule()], 'users/bob/a', {}, ['/key key_outside_prefix']],
    ['a key that only begins like the prefix', [rule()], 'users/alice2/a', {}, ['/key key_outside_prefix']],
    ['a key above the prefix', [rule()], 'users/alice', {}, ['/key key_outside_prefix']],
    ['the prefix itself', [rule()], 'users/alice/', {}, ['/key key_not_allowed']],
    ['a way out of the prefix', [rule()], 'users/alice/../bob/a', {}, ['/key key_not_allowed']],
    ['a dot segment', [rule()], 'users/alice/./a', {}, ['/key key_not_allowed']],
    ['an encoded way out, which is a name', [rule()], 'users/%2e%2e/bob', {}, ['/key key_outside_prefix']],
    ['a backslash', [rule()], 'users/alice/..\\bob', {}, ['/key key_not_allowed']],
    ['an empty segment', [rule()], 'users/alice//a', {}, ['/key key_not_allowed']],
    ['a control character', [rule()], 'users/alice/a\n', {}, ['/key key_not_allowed']],
    ['a key that is not normalized', [rule()], 'users/alice/e\u0301', {}, ['/key key_not_allowed']],
    ['half a surrogate pair', [rule()], 'users/alice/\ud83d', {}, ['/key key_not_allowed']],
    ['an empty key', [rule()], '', {}, ['/key key_not_allowed', '/key key_outside_prefix']],
    ['a key that is too long', [rule()], long, {}, ['/key key_not_allowed']],
    ['a key that is too long, of another caller', [rule()], `x${long}`, {}, ['/key key_not_allowed']],
    ['inline', [rule()], 'users/alice/a', { disposition: 'inline' }, ['/disposition header_not_allowed']],
    ['a longer expiry', [shared], 'shared/a', { expiresIn: 121 }, ['/expiresIn expiry_too_long']],
    ['another target', [rule()], 'users/alice/a', { target: 'archive' }, ['/target no_matching_rule']],
    ['a name with a folder', [rule()], 'users/alice/a', { filename: '../a' }, ['/filename key_not_allowed']],
    [
      'a name with a line break',
      [rule()],
      'users/alice/a',
      { filename: 'a\r\nb' },
      ['/filename key_not_allowed'],
    ],
    [
      'a name that systems run',
      [rule()],
      'users/alice/a.png',
      { filename: 'a.exe' },
      ['/filename key_not_allowed'],
    ],
    [
      'a name that hides its end',
      [rule()],
      'users/alice/a',
      { filename: 'a\u202egpj.exe' },
      ['/filename key_not_allowed'],
    ],
    [
      'without a rule for downloads',
      [rule({ actions: ['upload'], contentTypes: ['*/*'], maxSize: 1 })],
      'users/alice/a',
      {},
      [' no_matching_rule'],
    ],
    [
      'by a rule that only confirms',
      [rule({ actions: ['confirm'] })],
      'users/alice/a',
      {},
      [' no_matching_rule'],
    ],
    ['without the claim of the prefix', [rule({ prefix: '{tenant}/' })], 'x/a', {}, [' no_matching_rule']],
    [
      'several faults at once',
      [rule({ expiresIn: '1m' })],
      'users/bob/',
      { disposition: 'inline', expiresIn: 61 },
      [
        '/key key_not_allowed',
        '/key key_outside_prefix',
        '/disposition header_not_allowed',
        '/expiresIn expiry_too_long',
      ],
    ],
  ])('%s', (_name, rules, key, change, expected) => {
    expect(resultOf(decide(rules, key, change))).toStrictEqual(expected);
  });

  it('to a caller without the scope', () => {
    expect(resultOf(decide([rule()], 'users/alice/a', {}, { scopes: [] }))).toStrictEqual([
      ' no_matching_rule',
    ]);
  });
});

it('describes the rule whose prefix contains the key before the others', () => {
  const decision = decide([rule(), shared], 'shared/a', { expiresIn: 200 });
  expect(decision).toStrictEqual({
    allowed: false,
    rule: 'shared',
    violations: [
      {
        pointer: '/expiresIn',
        code: 'expiry_too_long',
        detail: 'The URL may be valid for at most 120 seconds.',
      },
    ],
  });
});

it('names only what belongs to the caller', () => {
  const rules = [
    rule({ name: 'admin', who: { scope: 'admin' }, prefix: 'secret-plans/' }),
    rule({ name: 'staff', who: { claims: { role: 'staff' } }, prefix: 'payroll/', target: 'archive' }),
    rule(),
  ];
  for (const key of ['secret-plans/a', 'payroll/a', 'users/bob/a', '../x']) {
    const denial = JSON.stringify(decide(rules, key));
    expect(denial).toContain('users/alice/');
    expect(denial).not.toMatch(/admin|staff|payroll\/"|secret-plans\/"|archive/);
  }
});

it('explains to operators what each rule does not allow', () => {
  const rules = [rule({ name: 'admin', who: { scope: 'admin' } }), shared, rule({ actions: ['confirm'] })];
  const question = downloadQuestion(requestOf({ expiresIn: 300 }), {
    key: 'users/bob/a',
    pointer: '/keys/3',
  });
  const verdicts = ruleVerdicts(policyOf(rules), ALICE, question);
  expect(verdicts.map((one) => [one.rule, one.reasons.map(({ detail }) => detail)])).toStrictEqual([
    ['admin', ['The token lacks the scope "admin".']],
    ['shared', ['The key must begin with "shared/".', 'The URL may be valid for at most 120 seconds.']],
    ['r', ['The rule is not for downloads.']],
  ]);
});
