import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import type { AppDependencies } from '../../src/http/app.ts';
import type { Rule } from '../../src/policy/policy.ts';
import { parsePrefixTemplate } from '../../src/policy/prefix-template.ts';
import { fixedClock } from './fixed-clock.ts';
import { type Fields, policyWith } from './policies.ts';
import { createTestApp, policyFrom, storageOf, type TestApp, testCredentials } from './test-app.ts';
import type { TestIssuer } from './tokens.ts';

/**
 * A service with a rule repeated under many prefixes, which all apply to the caller, with a long token of temporary credentials.
 * @param options.whoOf further conditions of a rule.
 */
export function createAppWithRules(
  ruleCount: number,
  rule: Fields,
  issuer: TestIssuer,
  {
    whoOf,
    ...dependencies
  }: Partial<AppDependencies> & {
    readonly whoOf?: ((index: number) => Partial<Rule['who']>) | undefined;
  } = {},
): Promise<TestApp> {
  const { rules, ...others } = policyFrom(policyWith({ rules: [rule] }), issuer);
  // The last rule is the one for most keys, so that each key is compared with every prefix.
  const policy = {
    ...others,
    rules: rules.flatMap((one) =>
      Array.from({ length: ruleCount }, (_, index) => {
        const prefix = parsePrefixTemplate(
          index === ruleCount - 1 ? 'users/{sub}/' : `users/{sub}/${index}/`,
        );
        if (typeof prefix === 'string') throw new Error(prefix);
        return { ...one, name: `r${index}`, prefix, who: { ...one.who, ...whoOf?.(index) } };
      }),
    ),
  };
  const keySources = createKeySources({ clock: fixedClock, fetch });
  const verifier = createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources });
  const active = { policy, verifier, storage: storageOf(policy) };
  const credentials = { ...testCredentials, securityToken: 'CAIS+/='.repeat(280) };
  return createTestApp({
    active: () => active,
    credentials: { get: async () => credentials } as never,
    ...dependencies,
  });
}
