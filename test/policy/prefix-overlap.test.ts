import fc from 'fast-check';
import { expect, it } from 'vitest';
import { overlappingPrefixes, readPrefixes } from '../../src/policy/prefix-overlap.ts';
import { parsePrefixTemplate, resolvePrefix } from '../../src/policy/prefix-template.ts';

type Rule = Parameters<typeof overlappingPrefixes>[0][number];

function rule(
  name: string,
  source: string,
  change: { issuer?: string; bucket?: string; shares?: string[] } = {},
): Rule {
  const prefix = parsePrefixTemplate(source);
  if (typeof prefix === 'string') throw new Error(prefix);
  return {
    name,
    prefix,
    target: {
      name: 't',
      bucket: change.bucket ?? 'bkt',
      region: 'cn-hangzhou',
      endpoint: 'public',
      serviceEndpoint: 'public',
    },
    who: { scope: ['s'], ...(change.issuer !== undefined && { issuer: change.issuer }) },
    sharesPrefixWith: change.shares ?? [],
  };
}

const meetings = (one: string, other: string) =>
  overlappingPrefixes([rule('one', one), rule('other', other)], 10).map(({ when }) => when);

it.each([
  ['{sub}/', '{tenant}/', 'claims "sub" and "tenant" have matching values'],
  ['users/{sub}/', 'users/shared/', 'claim "sub" is "shared"'],
  ['users/shared/', 'users/{sub}/', 'claim "sub" is "shared"'],
  ['{tenant}/{sub}/', 'users/{sub}/', 'claim "tenant" is "users"'],
  ['{tenant}/', 'users/{sub}/', 'claim "tenant" is "users"'],
  ['{tenant}/photos/', 'users/{sub}/', 'claim "tenant" is "users" and claim "sub" is "photos"'],
  ['team-{t}/', '{a}.d/', 'claims "t" and "a" have matching values'],
  ['team-{t}/', 'team-x/', 'claim "t" is "x"'],
  ['team-{t}/', '{t}/', 'claim "t" has matching values for two callers'],
  ['u/{sub}/', 'u/{sub}.d/', 'claim "sub" has matching values for two callers'],
  ['{/org/team}/', '{team}/', 'claims "/org/team" and "team" have matching values'],
  ['a/b/{x}/', 'a/{y}/', 'claim "y" is "b"'],
  ['{a}/{b}/c/', '{x}/', 'claims "a" and "x" have matching values'],
])('%s overlaps %s', (one, other, when) => {
  expect(meetings(one, other)).toStrictEqual([when]);
});

it.each([
  ['{sub}/', '{sub}/'],
  ['users/{sub}/', 'users/{sub}/photos/'],
  ['{/sub}/', '{sub}/'],
  ['shared/', 'shared/'],
  ['shared/', 'shared/{sub}/'],
  ['users/{sub}/', 'staff/{sub}/'],
  ['users/{sub}/', 'users-shared/x/'],
  ['users/{sub}/a/', 'users/shared/b/'],
  ['team-{t}/', 'group-{g}/'],
  ['{a}.x/', '{b}.y/'],
  ['team-{t}/', 'team-/'],
  ['{a}-x/', '-x/'],
  ['{sub}/', '用户/'],
  ['{sub}/', `${'x'.repeat(129)}/`],
])('%s overlaps %s never, or for the same caller only', (one, other) => {
  expect(meetings(one, other)).toStrictEqual([]);
});

it('compares rules of one bucket only, whatever the names of their targets', () => {
  expect(
    overlappingPrefixes([rule('a', '{sub}/'), rule('b', '{t}/', { bucket: 'other' })], 10),
  ).toStrictEqual([]);
  const [overlap] = overlappingPrefixes([rule('a', '{sub}/'), rule('b', '{t}/')], 10);
  expect([overlap?.bucket, overlap?.first.name, overlap?.second.name]).toStrictEqual(['bkt', 'a', 'b']);
});

it('the same claim in tokens of two issuers is two claims', () => {
  const rules = [
    rule('a', 'u/{sub}/', { issuer: 'https://a/' }),
    rule('b', 'u/{sub}/', { issuer: 'https://b/' }),
  ];
  expect(overlappingPrefixes(rules, 10).map(({ when }) => when)).toStrictEqual([
    'claim "sub" has the same value in tokens of both issuers',
  ]);
});

it('either rule may list the other in sharesPrefixWith', () => {
  expect(overlappingPrefixes([rule('a', '{sub}/', { shares: ['b'] }), rule('b', '{t}/')], 10)).toStrictEqual(
    [],
  );
  expect(overlappingPrefixes([rule('a', '{sub}/'), rule('b', '{t}/', { shares: ['a'] })], 10)).toStrictEqual(
    [],
  );
  const three = [rule('a', '{sub}/', { shares: ['b'] }), rule('b', '{t}/'), rule('c', '{t}/')];
  expect(overlappingPrefixes(three, 10).map(({ first, second }) => [first.name, second.name])).toStrictEqual([
    ['a', 'c'],
  ]);
});

const ordinary = Array.from({ length: 1500 }, (_, index) =>
  rule(`r${index}`, `a/b/c/d/e/f/g/tenant-${index}/{sub}/`),
);
const meeting = Array.from({ length: 1500 }, (_, index) => rule(`r${index}`, `a/{c${index}}/`));

it('checks 1,500 rules in well under a second, and stops at the bound', () => {
  const before = process.threadCpuUsage();
  expect(overlappingPrefixes(ordinary, 20)).toHaveLength(0);
  expect(overlappingPrefixes(meeting, 20)).toHaveLength(20);
  expect(process.threadCpuUsage(before).user / 1e6).toBeLessThan(1);
});

it('reports every pair of rules in which two callers can get the same folder', () => {
  const segment = fc.constantFrom('a', 'b', 'a-x', '{p}', '{q}', 'a-{p}', '{q}-x');
  const source = fc
    .array(segment, { minLength: 1, maxLength: 3 })
    .map((segments) => `${segments.join('/')}/`);
  const values = fc.constantFrom('a', 'b', 'x', 'a-x');
  let met = 0;
  fc.assert(
    fc.property(source, source, values, values, values, values, (one, other, p1, q1, p2, q2) => {
      const [a, b] = [rule('one', one), rule('other', other)];
      const [first, second] = [
        resolvePrefix(a.prefix, { p: p1, q: q1 }),
        resolvePrefix(b.prefix, { p: p2, q: q2 }),
      ];
      if (!first.ok || !second.ok) return;
      const isWithin = first.prefix.startsWith(second.prefix) || second.prefix.startsWith(first.prefix);
      // The same text, or the same claims with the same values, is no overlap.
      const length = Math.min(one.split('/').length, other.split('/').length) - 1;
      const isAlike = one.split('/').slice(0, length).join() === other.split('/').slice(0, length).join();
      if (!isWithin || isAlike) return;
      met++;
      expect(overlappingPrefixes([a, b], 1), `${one} ${other}`).toHaveLength(1);
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(met).toBeGreaterThan(50);
});

const readers = (one: string, other: string, change: Parameters<typeof rule>[2] = {}) =>
  readPrefixes([rule('reader', one, change)], [rule('owner', other)], 10).map(({ owner }) => owner.name);

it.each([
  ['users/', 'users/{sub}/'],
  ['users/', 'users/shared/'],
  ['users/', 'users/x-{sub}/photos/'],
  ['teams/{team}/', 'teams/{team}/{sub}/'],
  ['teams/{team}/', 'teams/{team}/u/{sub}/'],
  ['a/b/', 'a/b/c/d/'],
])('a rule for downloads of %s reads what is below %s', (one, other) => {
  expect(readers(one, other)).toStrictEqual(['owner']);
});

it.each([
  ['users/', 'users/'],
  ['users/{sub}/', 'users/{sub}/'],
  ['users/{sub}/', 'users/{sub}/photos/'],
  ['users/{sub}/', 'users/'],
  ['users/', 'user/{sub}/'],
  ['users/', 'users-old/{sub}/'],
  ['a/b/', 'a/c/{sub}/'],
])('a rule for downloads of %s reads nothing of others below %s', (one, other) => {
  expect(readers(one, other)).toStrictEqual([]);
});

it('reports no rule of another bucket, none that is named, and not too many', () => {
  expect(readers('users/', 'users/{sub}/', { bucket: 'other' })).toStrictEqual([]);
  expect(readers('users/', 'users/{sub}/', { shares: ['owner'] })).toStrictEqual([]);
  const owners = Array.from({ length: 20 }, (_, index) => rule(`o${index}`, `users/${index}/`));
  expect(readPrefixes([rule('r', 'users/')], owners, 7)).toHaveLength(7);
});
