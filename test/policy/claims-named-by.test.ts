import { expect, it } from 'vitest';
import { claimsNamedBy } from '../../src/policy/claims-named-by.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const rule = { target: 'media', contentTypes: ['image/*'], maxSize: 1 };

it('names the top-level claims of conditions and prefixes, each once, and nothing else', () => {
  const policy = policyFrom(
    policyWith({
      rules: [
        {
          ...rule,
          name: 'a',
          who: { scope: 's', claims: { role: 'x', '/realm_access/roles': 'y' } },
          prefix: 'a/{sub}/',
        },
        {
          ...rule,
          name: 'b',
          who: { claims: { '/~1x': 'z', 'a.b': 1 } },
          prefix: 'b/{/org/team}/{role}/',
        },
      ],
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
