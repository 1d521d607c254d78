import { expect, it } from 'vitest';
import { claimsNamedBy } from '../../src/policy/claims-named-by.ts';
import { policyFrom, testPolicyYaml } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('names the top-level claims of conditions and prefixes, each once, and nothing else', () => {
  const policy = policyFrom(
    testPolicyYaml({
      rules: `
  - { name: a, who: { scope: s, claims: { role: x, /realm_access/roles: y } }, target: media, prefix: 'a/{sub}/', contentTypes: [image/*], maxSize: 1 }
  - { name: b, who: { claims: { /~1x: z, a.b: 1 } }, target: media, prefix: 'b/{/org/team}/{role}/', contentTypes: [image/*], maxSize: 1 }
`,
    }),
    createTestIssuer(),
  );
  expect([...claimsNamedBy(policy)].sort()).toStrictEqual([
    '/x',
    'a.b',
    'org',
    'realm_access',
    'role',
    'sub',
  ]);
});
