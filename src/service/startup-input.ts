import { type Config, loadConfig, policyFileOf } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { unknownVariables } from '../config/unknown-variables.ts';
import { createPolicyReader, type LoadedPolicy } from '../policy/file/read-policy-file.ts';
import type { Policy } from '../policy/policy.ts';
import { readIfPossible } from '../text/text-file.ts';

export type StartupInput = {
  readonly config: Config;
  readonly policy: LoadedPolicy & { readonly policy: Policy };
  /** Reads the policy file again, for later versions. Never throws. */
  readonly readPolicy: () => LoadedPolicy;
  /** Faults that do not keep the service from starting, one sentence each. */
  readonly warnings: readonly string[];
};

/**
 * Checks everything that the service needs to start: environment, credentials and policy.
 * @param readFile reads a file as text; throws if it cannot.
 * @returns the input of the service, or every fault, one sentence each without any secret.
 */
export function loadStartupInput(
  env: Environment,
  readFile: (path: string) => string,
): StartupInput | { readonly faults: readonly string[] } {
  const loaded = loadConfig(env, readFile);
  const file = policyFileOf(env);
  // loadConfig reports this fault as well.
  if ('fault' in file)
    return {
      faults: 'faults' in loaded ? [...loaded.faults, ...unknownVariables(env, undefined)] : [file.fault],
    };
  const readPolicy = createPolicyReader(file.path, env, readFile);
  const policy = readPolicy();
  const warnings = unknownVariables(env, readIfPossible(file.path, readFile));
  if ('config' in loaded && 'policy' in policy)
    return { config: loaded.config, policy, readPolicy, warnings };
  return {
    faults: [
      ...('faults' in loaded ? loaded.faults : []),
      // A missing variable may be set under a mistyped name.
      ...warnings,
      ...('faults' in policy ? policy.faults : []),
    ],
  };
}
