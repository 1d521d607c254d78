import type { Logger } from 'pino';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Clock } from '../clock.ts';
import type { PreparedStorage } from '../grants/prepared-storage.ts';
import type { ActivePolicy } from '../http/plugins/authentication.ts';
import type { LoadedPolicy } from '../policy/file/read-policy-file.ts';
import type { Policy } from '../policy/policy.ts';
import type { PolicyStatus } from '../policy/policy-status.ts';

export type LivePolicy = {
  active(): ActivePolicy;
  status(): PolicyStatus;
  /**
   * Reads the file, and applies a new version once two polls in a row have read the same content: a
   * file that is being written is not applied.
   */
  poll(): void;
  /** Reads the file, and applies a new version at once. */
  reload(): void;
};

export type LivePolicyOptions = {
  readonly first: LoadedPolicy & { readonly policy: Policy };
  readonly read: () => LoadedPolicy;
  /** Throws if the issuers cannot be used. */
  readonly createVerifier: (policy: Policy) => TokenVerifier;
  readonly prepareStorage: (policy: Policy) => PreparedStorage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once for each new version. */
  readonly onReload: (result: 'applied' | 'refused') => void;
};

/**
 * Holds the active policy, and replaces it when its file changes. If a new version has a fault, the
 * previous policy stays active.
 * @throws TypeError if the issuers of the first policy cannot be used.
 */
export function createLivePolicy({
  first,
  read,
  createVerifier,
  prepareStorage,
  clock,
  logger,
  onReload,
}: LivePolicyOptions): LivePolicy {
  let active = activate(first.policy);
  let version = first.version;
  let loadedAt = clock();
  let lastSeen = first.version;
  let refusedVersion: string | undefined;

  return {
    active: () => active,
    status: () => ({
      version,
      rules: active.policy.rules.length,
      loadedAt,
      ...(refusedVersion !== undefined && { refusedVersion }),
    }),
    poll() {
      const reading = read();
      if (reading.version === lastSeen) apply(reading);
      lastSeen = reading.version;
    },
    reload() {
      const reading = read();
      lastSeen = reading.version;
      if (reading.version === version)
        logger.info({ policyVersion: version }, 'the policy file is unchanged');
      apply(reading);
    },
  };

  function activate(policy: Policy): ActivePolicy {
    return { policy, verifier: createVerifier(policy), storage: prepareStorage(policy) };
  }

  function apply(reading: LoadedPolicy): void {
    if (reading.version === version) {
      // The bad version was reverted.
      refusedVersion = undefined;
      return;
    }
    if (reading.version === refusedVersion) return;
    if ('faults' in reading) {
      reject(reading.version, reading.faults);
      return;
    }
    const { policy } = reading;
    try {
      active = activate(policy);
    } catch (error) {
      reject(reading.version, [error instanceof Error ? error.message : String(error)]);
      return;
    }
    version = reading.version;
    loadedAt = clock();
    refusedVersion = undefined;
    for (const warning of policy.warnings) logger.warn(warning);
    logger.info({ policyVersion: version, rules: policy.rules.length }, 'the new policy is active');
    onReload('applied');
  }

  function reject(rejected: string, faults: readonly string[]): void {
    refusedVersion = rejected;
    logger.error(
      { policyVersion: version, refusedVersion: rejected, faults },
      'the new policy file is rejected; the previous policy stays active',
    );
    onReload('refused');
  }
}
