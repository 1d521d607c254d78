import { type Config, type Environment, loadConfig } from './config.ts';
import type { Policy } from './policy/policy.ts';
import { createPolicyReader, type PolicyReading } from './policy-file.ts';

export type Prepared = {
  readonly config: Config;
  readonly policy: PolicyReading & { readonly policy: Policy };
  /** Reads the policy file once more, for its later versions. Never throws. */
  readonly readPolicy: () => PolicyReading;
};

/**
 * Checks everything that has to be right before the service may start: environment, credentials and policy.
 * @param readFile reads a file as text; throws when it cannot.
 * @returns what the service runs on, or every fault at once, one sentence each, without any secret.
 */
export function prepare(
  env: Environment,
  readFile: (path: string) => string,
): Prepared | { readonly faults: readonly string[] } {
  const loaded = loadConfig(env, readFile);
  const readPolicy = createPolicyReader(env.POLICY_FILE?.trim() || 'policy.yaml', env, readFile);
  const policy = readPolicy();
  if ('config' in loaded && 'policy' in policy) return { config: loaded.config, policy, readPolicy };
  return {
    faults: [...('faults' in loaded ? loaded.faults : []), ...('faults' in policy ? policy.faults : [])],
  };
}
