import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  canBegin,
  type PrefixTemplate,
  parsePrefixTemplate,
  resolvePrefix,
} from '../../src/policy/prefix-template.ts';

function template(source: string): PrefixTemplate {
  const parsed = parsePrefixTemplate(source);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

it.each([
  ['shared/', {}, 'shared/'],
  ['users/{sub}/', { sub: 'alice' }, 'users/alice/'],
  ['{tenant}/users/u-{sub}-x/', { tenant: 'acme', sub: 'alice' }, 'acme/users/u-alice-x/'],
  ['{https://acme.example/tenant}/', { 'https://acme.example/tenant': 't1' }, 't1/'],
  ['{/org/team}/{/org/no}/', { org: { team: 't1', no: 7 } }, 't1/7/'],
  ['{/~1x}/{/a~01}/', { '/x': 'x', 'a~1': 'a' }, 'x/a/'],
  ['{a.b}/{c:d}/{e/f}/', { 'a.b': '1', 'c:d': '2', 'e/f': '3' }, '1/2/3/'],
  ['users/{id}/', { id: 42 }, 'users/42/'],
  ['users/{sub}/', { sub: 'a b%2f@auth0|7' }, 'users/a b%2f@auth0|7/'],
  ['users/{sub}/', { sub: '{sub}' }, 'users/{sub}/'],
  ['users/{sub}/', { sub: 'a'.repeat(128) }, `users/${'a'.repeat(128)}/`],
  ['users/{sub}/', { sub: '...' }, 'users/.../'],
])('%s with %j is %s', (source, claims, prefix) => {
  expect(resolvePrefix(template(source), claims)).toStrictEqual({ ok: true, prefix });
});

it.each<[string, unknown, string]>([
  ['missing', undefined, 'missing'],
  ['empty', '', 'empty'],
  ['.', '.', 'unsafe characters'],
  ['..', '..', 'unsafe characters'],
  ['a path', 'a/b', 'unsafe characters'],
  ['a backslash', 'a\\b', 'unsafe characters'],
  ['a control character', 'a\n', 'unsafe characters'],
  ['DEL', 'a\x7f', 'unsafe characters'],
  ['not ASCII', 'älice', 'unsafe characters'],
  ['129 characters', 'a'.repeat(129), 'unsafe characters'],
  ['null', null, 'wrong type'],
  ['true', true, 'wrong type'],
  ['a fraction', 1.5, 'wrong type'],
  ['beyond exact numbers', 2 ** 53, 'inexact number'],
  ['below exact numbers', -(2 ** 60), 'inexact number'],
  ['infinite', Number.POSITIVE_INFINITY, 'wrong type'],
  ['a list', ['alice'], 'wrong type'],
  ['an object', { toString: () => 'alice' }, 'wrong type'],
])('a claim that is %s cannot be part of a prefix; claim and reason are named', (_name, sub, reason) => {
  expect(resolvePrefix(template('users/{sub}/'), { sub })).toStrictEqual({ ok: false, claim: 'sub', reason });
});

it.each(['constructor', 'toString', '__proto__', '/a/constructor'])(
  '%s is no claim unless the token has it',
  (claim) => {
    expect(resolvePrefix(template(`users/{${claim}}/`), { a: {} })).toStrictEqual({
      ok: false,
      claim,
      reason: 'missing',
    });
  },
);

it('a pointer that ends at a list or an object is of the wrong type, and one into a list finds nothing', () => {
  const claims = { org: { teams: ['a'] } };
  expect(resolvePrefix(template('{/org/teams}/'), claims)).toMatchObject({ reason: 'wrong type' });
  expect(resolvePrefix(template('{/org}/'), claims)).toMatchObject({ reason: 'wrong type' });
  expect(resolvePrefix(template('{/org/teams/0}/'), claims)).toMatchObject({ reason: 'missing' });
});

it.each([
  ['users', 'must end in "/"'],
  ['', 'must end in "/"'],
  ['/', 'must not begin with "/"'],
  ['/users/{sub}/', 'must not begin with "/"'],
  [`${'a'.repeat(1023)}/`, 'is longer than 1023 characters'],
  ['users//', 'holds an empty segment ("//", or "/" at its end)'],
  ['../', 'holds a "." or ".." segment'],
  ['users/{}/', 'has "{}" without the name of a claim'],
  [
    'users/{/a~2b}/',
    'has a claim in "{…}" that is a JSON pointer with a "~" that is not part of "~0" (for "~") or "~1" (for "/")',
  ],
  ['users/{ sub }/', 'has blanks inside "{…}"'],
  ['users/{sub/', 'has an unmatched "{" or "}"'],
  ['users/sub}/', 'has an unmatched "{" or "}"'],
  ['users/{{sub}}/', 'has an unmatched "{" or "}"'],
  ['{a}{b}/', 'may hold at most one "{claim}" between two "/"'],
  ['{a}-{b}/', 'may hold at most one "{claim}" between two "/"'],
])('rejects the template %j: %s', (source, fault) => {
  expect(parsePrefixTemplate(source)).toBe(fault);
});

it('two callers whose claims differ never share a prefix, nor does one lie within the other', () => {
  const claim = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(claim, claim, claim, claim, (a, b, c, d) => {
      fc.pre(a !== c || b !== d);
      const both = template('{tenant}/u-{sub}/');
      const [one, other] = [
        resolvePrefix(both, { tenant: a, sub: b }),
        resolvePrefix(both, { tenant: c, sub: d }),
      ];
      if (!one.ok || !other.ok) return;
      expect(one.prefix.startsWith(other.prefix)).toBe(false);
      expect(other.prefix.startsWith(one.prefix)).toBe(false);
    }),
  );
});

it.each<[string, string, boolean]>([
  ['shared/', 'shared/a.png', true],
  ['shared/', 'sharedx/a.png', false],
  ['shared/', 'other/shared/a.png', false],
  ['users/{sub}/', 'users/alice/a.png', true],
  ['users/{sub}/', 'users/alice/b/c.png', true],
  ['users/{sub}/', 'users/alice', false],
  ['users/{sub}/', 'users//a.png', false],
  ['users/{sub}/', 'users/../a.png', false],
  ['users/{sub}/', `users/${'a'.repeat(129)}/a.png`, false],
  ['users/{sub}/', 'users/älice/a.png', false],
  ['u-{sub}-x/', 'u-alice-x/a.png', true],
  ['u-{sub}-x/', 'u--x/a.png', false],
  ['u-{sub}-x/', 'u-x-x-x/a.png', true],
  ['u-{sub}-x/', 'u-alice-y/a.png', false],
  ['{tenant}/{sub}/', 't/s/a.png', true],
  ['{tenant}/{sub}/', 't/a.png', false],
  ['{/org/team}/files/', 't1/files/a.png', true],
  ['{sub}/{sub}/', 'alice/alice/a.png', true],
  ['{sub}/{/sub}/', 'alice/bob/a.png', false],
])('%s can begin %s: %j', (source, key, can) => {
  expect(canBegin(template(source), key)).toBe(can);
});

it('can begin every key below what the template resolves to', () => {
  const segment = fc.string({
    minLength: 1,
    maxLength: 128,
    unit: fc.constantFrom('a', '-', 'x', '.', '7', ' '),
  });
  fc.assert(
    fc.property(
      fc.constantFrom('{a}/', 'x/{a}/', 'x-{a}-x/{b}/', '{a}x/{b}/{a}/', '{a}.c/'),
      segment,
      segment,
      (source, a, b) => {
        const resolved = resolvePrefix(template(source), { a, b });
        fc.pre(resolved.ok);
        return resolved.ok && canBegin(template(source), `${resolved.prefix}file`);
      },
    ),
    { numRuns: 200 },
  );
});
