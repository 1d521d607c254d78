import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type PrefixTemplate, parsePrefixTemplate, resolvePrefix } from '../../src/policy/prefix-template.ts';

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
  ['users/{id}/', { id: 42 }, 'users/42/'],
  ['users/{sub}/', { sub: 'a b%2f@auth0|7' }, 'users/a b%2f@auth0|7/'],
  ['users/{sub}/', { sub: '{sub}' }, 'users/{sub}/'],
  ['users/{sub}/', { sub: 'a'.repeat(128) }, `users/${'a'.repeat(128)}/`],
  ['users/{sub}/', { sub: '...' }, 'users/.../'],
])('%s with %j is %s', (source, claims, prefix) => {
  expect(resolvePrefix(template(source), claims)).toStrictEqual({ ok: true, prefix });
});

it.each<[string, unknown]>([
  ['missing', undefined],
  ['empty', ''],
  ['.', '.'],
  ['..', '..'],
  ['a path', 'a/b'],
  ['a backslash', 'a\\b'],
  ['a control character', 'a\n'],
  ['DEL', 'a\x7f'],
  ['not ASCII', 'älice'],
  ['129 characters', 'a'.repeat(129)],
  ['null', null],
  ['true', true],
  ['a fraction', 1.5],
  ['beyond exact numbers', 2 ** 53],
  ['a list', ['alice']],
  ['an object', { toString: () => 'alice' }],
])('a claim that is %s cannot be part of a prefix, and is named', (_name, sub) => {
  expect(resolvePrefix(template('users/{sub}/'), { sub })).toStrictEqual({ ok: false, claim: 'sub' });
});

it.each(['constructor', 'toString', '__proto__'])('%s is no claim unless the token has it', (claim) => {
  expect(resolvePrefix(template(`users/{${claim}}/`), {})).toStrictEqual({ ok: false, claim });
});

it.each([
  ['users', 'must end in "/"'],
  ['', 'must end in "/"'],
  ['/', 'cannot begin an object key: The key begins with "/".'],
  ['/users/', 'cannot begin an object key: The key begins with "/".'],
  ['users//', 'cannot begin an object key: The key holds an empty segment ("//", or "/" at its end).'],
  ['../', 'cannot begin an object key: The key holds a "." or ".." segment.'],
  ['users/{}/', 'has "{}" without a claim name'],
  ['users/{ sub }/', 'has blanks inside "{…}"'],
  ['users/{sub/', 'has an unmatched "{" or "}"'],
  ['users/sub}/', 'has an unmatched "{" or "}"'],
  ['users/{{sub}}/', 'has an unmatched "{" or "}"'],
  ['{a}{b}/', 'may hold at most one "{claim}" between two "/"'],
  ['{a}-{b}/', 'may hold at most one "{claim}" between two "/"'],
])('refuses the template %j: %s', (source, fault) => {
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
