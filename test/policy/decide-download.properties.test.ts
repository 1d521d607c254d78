import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decideDownload, findDownloadRules } from '../../src/policy/decide-download.ts';
import { policyWith } from '../support/policies.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);

const rule = fc.record({
  actions: some(['download'], ['download'], ['upload', 'download'], ['upload'], ['confirm']),
  scope: some('a', 'a', 'b'),
  prefix: some('users/{sub}/', 'users/{sub}/', 'users/', 'shared/', '{team}/', 'users/{sub}/x/'),
  inline: some(true, false),
  maxSeconds: some(60, 3600),
});
type ModelRule = typeof rule extends fc.Arbitrary<infer T> ? T : never;

const segment = some(
  ...['users', 'users', 'alice', 'alice', 'bob', 'shared', 'eng', '7', 'x', 'é', 'e\u0301', '', '.', '..'],
);

const request = fc.record({
  scopes: some(['a'], ['a', 'b'], []),
  team: some<unknown>('eng', 'users', '..', 7, undefined),
  disposition: some('attachment' as const, 'attachment' as const, 'inline' as const),
  expiresIn: some(undefined, undefined, 60, 61, 3601),
  keys: fc.array(
    fc.oneof(
      some('users/alice/a', 'users/alice/x/b', 'users/bob/a', 'shared/é', 'eng/a', '7/a/b'),
      fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/')),
    ),
    { minLength: 1, maxLength: 10 },
  ),
});

/** The rule that grants a key, as the policy's documentation describes it; undefined for a denial. */
function modelGrant(
  rules: readonly ModelRule[],
  { scopes, team, disposition, expiresIn }: typeof request extends fc.Arbitrary<infer T> ? T : never,
  key: string,
): number | undefined {
  if (key.normalize('NFC') !== key || key.split('/').some((part) => ['', '.', '..'].includes(part)))
    return undefined;
  const index = rules.findIndex((one) => {
    if (!one.actions.includes('download') || !(scopes as string[]).includes(one.scope)) return false;
    if (one.prefix.includes('{team}') && (team === undefined || team === '..')) return false;
    const prefix = one.prefix.replace('{sub}', 'alice').replace('{team}', String(team));
    if (key.slice(0, prefix.length) !== prefix) return false;
    return (disposition === 'attachment' || one.inline) && (expiresIn ?? 0) <= one.maxSeconds;
  });
  return index < 0 ? undefined : index;
}

it('grants what a model of the policy grants, each key as if it were alone', () => {
  const issuer = createTestIssuer();
  let [granted, denied] = [0, 0];
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), request, (rules, asked) => {
      const written = rules.map(({ actions, scope, prefix, inline, maxSeconds }, index) => ({
        ...{ name: `r${index}`, actions, who: { scope }, target: 'media', prefix },
        ...(actions.includes('upload') && { contentTypes: ['image/*'], maxSize: 1 }),
        ...(actions.includes('download') && { inline }),
        ...(!actions.includes('confirm') && { expiresIn: `${maxSeconds}s` }),
      }));
      const policy = policyFrom(policyWith({ rules: written }), issuer);
      const { scopes, team, disposition, expiresIn, keys } = asked;
      const caller = {
        issuer: 'https://login.test/',
        subject: 'alice',
        scopes,
        claims: { sub: 'alice', team },
      };
      const found = findDownloadRules(policy, caller, { keys, disposition, expiresIn });
      for (const [index, key] of keys.entries()) {
        const decision = decideDownload(found, { key, pointer: `/keys/${index}` });
        const expected = modelGrant(rules, asked, key);
        if (decision.allowed) {
          granted++;
          expect([decision.grant.rule.name, decision.grant.key]).toStrictEqual([`r${expected}`, key]);
        } else {
          denied++;
          expect(expected, JSON.stringify({ rules, asked, key })).toBeUndefined();
          expect(decision.violations.length).toBeGreaterThan(0);
          for (const { pointer, detail } of decision.violations) {
            expect(['', '/target', '/disposition', '/expiresIn', `/keys/${index}`]).toContain(pointer);
            expect(detail).toMatch(/\.$/);
          }
        }
      }
    }),
    { numRuns: propertyRuns(1000), seed: 7 },
  );
  expect(granted).toBeGreaterThan(propertyRuns(1000) / 10);
  expect(denied).toBeGreaterThan(propertyRuns(1000));
});
