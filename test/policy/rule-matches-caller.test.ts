import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callerFromClaims } from '../../src/auth/caller.ts';
import type { Rule } from '../../src/policy/policy.ts';
import { ruleMatchesCaller, unmetConditions } from '../../src/policy/rule-matches-caller.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('a rule applies to exactly the callers that meet all of its conditions', () => {
  const [rule] = policyFrom(policyWith(), createTestIssuer()).rules;
  if (!rule) throw new Error('the policy has no rule');
  const value = fc.constantFrom<string | number | boolean>('member', 'admin', 7, '7', true);
  const scope = fc.constantFrom('read', 'write');
  const who: fc.Arbitrary<Rule['who']> = fc.record(
    {
      issuer: fc.constantFrom('https://login.test/', 'https://other.test/'),
      scope: fc.array(scope, { minLength: 1, maxLength: 2 }),
      claims: fc.uniqueArray(
        fc.record({
          claim: fc
            .constantFrom<[string, ...string[]]>(['role'], ['level'], ['constructor'], ['realm', 'roles'])
            .map((path) => ({ source: path.join(' '), path })),
          values: fc.array(value, { minLength: 1, maxLength: 2 }),
          prefixes: fc.subarray(['mem', 'x']),
        }),
        { minLength: 1, maxLength: 2, selector: ({ claim }) => claim.source },
      ),
    },
    { requiredKeys: [] },
  );
  const claims = fc.record(
    {
      scope: fc.array(scope, { maxLength: 2 }).map((scopes) => scopes.join(' ')),
      role: fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.constant(null)),
      level: value,
      realm: fc.record({ roles: fc.array(value, { maxLength: 2 }) }),
    },
    { requiredKeys: [] },
  );
  const seen = { admitted: 0, turnedAway: 0 };
  fc.assert(
    fc.property(who, claims, (demands, held) => {
      const caller = callerFromClaims({ iss: 'https://login.test/', sub: 'alice', ...held });
      const one = { ...rule, who: demands };
      const isFor = ruleMatchesCaller(one, caller);
      seen[isFor ? 'admitted' : 'turnedAway']++;
      expect(unmetConditions(one, caller).length === 0).toBe(isFor);
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(seen.admitted, seen.turnedAway)).toBeGreaterThan(60);
});
