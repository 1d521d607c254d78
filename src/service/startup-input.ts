import { callbackSettings } from '../config/callback-key-settings.ts';
import { type Config, loadConfig, policyFileOf } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { receiptSettings, serviceKeysWarnings } from '../config/service-keys-settings.ts';
import { unknownVariables } from '../config/unknown-variables.ts';
import type { ServiceKeys } from '../grants/ports/service-keys.ts';
import { callbackFaults, callbackWarnings } from '../policy/file/callback-address.ts';
import { createPolicyReader, type LoadedPolicy } from '../policy/file/read-policy-file.ts';
import { receiptFaults } from '../policy/file/receipt-faults.ts';
import type { Policy } from '../policy/policy.ts';
import { createServiceKeysReader, type ServiceKeysReading } from '../service-keys/read-service-keys-file.ts';
import { readIfPossible } from '../text/text-file.ts';

export type StartupInput = {
  readonly config: Config;
  readonly policy: LoadedPolicy & { readonly policy: Policy };
  /** Reads the policy file again, for later versions. Never throws. */
  readonly readPolicy: () => LoadedPolicy;
  /** The keys of `SERVICE_KEYS_FILE`; undefined if it is not set. */
  readonly serviceKeys: ServiceKeysInput | undefined;
  /** Faults that do not keep the service from starting, one sentence each. */
  readonly warnings: readonly string[];
};

export type ServiceKeysInput = {
  readonly first: ServiceKeysReading & { readonly keys: ServiceKeys };
  /** Reads the file again, for later versions. Never throws. */
  readonly read: () => ServiceKeysReading;
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
  const readPolicy = createPolicyReader(file.path, env, readFile, (policy) =>
    'config' in loaded
      ? [...receiptFaults(policy, receiptSettings(loaded.config)), ...callbackFaults(policy, loaded.config)]
      : [],
  );
  const policy = readPolicy();
  const warnings = unknownVariables(env, readIfPossible(file.path, readFile));
  if ('config' in loaded && 'policy' in policy) {
    const { config } = loaded;
    const serviceKeys = readServiceKeys(config, readFile);
    if (serviceKeys && 'faults' in serviceKeys) return serviceKeys;
    return {
      config,
      policy,
      readPolicy,
      serviceKeys,
      warnings: [
        ...warnings,
        ...serviceKeysWarnings(config),
        ...callbackWarnings(policy.policy, callbackSettings(config)),
      ],
    };
  }
  return {
    faults: [
      ...('faults' in loaded ? loaded.faults : []),
      // A missing variable may be set under a mistyped name.
      ...warnings,
      ...('faults' in policy ? policy.faults : []),
    ],
  };
}

/** @returns faults only if the file has changed since the environment was checked. */
function readServiceKeys(
  { serviceKeysFile }: Config,
  readFile: (path: string) => string,
): ServiceKeysInput | { readonly faults: readonly string[] } | undefined {
  if (serviceKeysFile === undefined) return undefined;
  const read = createServiceKeysReader(serviceKeysFile, readFile);
  const first = read();
  return 'faults' in first ? first : { first, read };
}
