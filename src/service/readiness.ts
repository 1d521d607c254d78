import { describeKeys } from '../auth/keys/key-source.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Clock } from '../clock.ts';
import type { ManagedCredentials } from '../credentials/managed-credentials.ts';
import type { ReadinessCheck } from '../health/check.ts';
import type { LimiterStatus } from '../limits/running-limiter.ts';
import type { LogOutputStatus } from '../log/output.ts';
import type { PolicyStatus } from '../policy/policy-status.ts';
import type { ServiceKeysStatus } from '../service-keys/live-service-keys.ts';

export type ReadinessSources = {
  readonly isDraining: () => boolean;
  readonly credentials: Pick<ManagedCredentials, 'describe'>;
  readonly issuers: () => ReturnType<TokenVerifier['status']>;
  readonly policy: () => PolicyStatus;
  readonly serviceKeys: () => ServiceKeysStatus;
  readonly limiter: Pick<LimiterStatus, 'describe'>;
  readonly storage: () => ReadinessCheck;
  readonly clock: Clock;
  readonly logOutput: () => LogOutputStatus;
  /** Whether a replica must be able to write its log to be ready, as with `AUDIT_MODE=strict`. */
  readonly needsLogOutput: boolean;
};

/** A machine that starts with its clock in 1970 would sign URLs that have already expired. */
const EARLIEST_PLAUSIBLE_TIME = new Date('2026-01-01T00:00:00Z');

/** Makes the checks of `/readyz`. The service is ready when all of them are ok. */
export function createReadiness({
  isDraining,
  credentials,
  issuers,
  policy,
  serviceKeys,
  limiter,
  storage,
  clock,
  logOutput,
  needsLogOutput,
}: ReadinessSources): () => readonly ReadinessCheck[] {
  return () => [
    lifecycleCheck(isDraining()),
    { name: 'credentials', ...credentials.describe() },
    issuerKeysCheck(issuers()),
    policyCheck(policy()),
    serviceKeysCheck(serviceKeys()),
    { name: 'limiter', ...limiter.describe() },
    storage(),
    clockCheck(clock()),
    logOutputCheck(logOutput(), needsLogOutput),
  ];
}

function lifecycleCheck(isDraining: boolean): ReadinessCheck {
  return { name: 'lifecycle', ok: !isDraining, detail: isDraining ? 'stopping' : undefined };
}

/** One issuer with keys is enough: if another one is down, only its callers are rejected. */
function issuerKeysCheck(issuers: ReturnType<TokenVerifier['status']>): ReadinessCheck {
  return {
    name: 'issuer keys',
    ok: issuers.some(({ keysLoaded }) => keysLoaded),
    detail: issuers.map(({ issuer, ...keys }) => `${issuer} ${describeKeys(keys)}`).join(', '),
  };
}

/**
 * Always ok: the previous policy stays active. A bad file must not make replicas unready one by
 * one.
 */
function policyCheck({ version, rules, refusedVersion }: PolicyStatus): ReadinessCheck {
  const active = `version ${version}, ${rules} ${rules === 1 ? 'rule' : 'rules'}`;
  const rejected =
    refusedVersion === undefined ? '' : `; the file now holds ${refusedVersion}, which is rejected`;
  return { name: 'policy', ok: true, detail: `${active}${rejected}` };
}

/** Always ok, as the policy: the previous keys stay in use. */
function serviceKeysCheck({ signingKid, keys, isShared, isFileRejected }: ServiceKeysStatus): ReadinessCheck {
  const inUse = isShared
    ? `${keys} ${keys === 1 ? 'key' : 'keys'}, signing with ${signingKid}`
    : 'of this process only';
  const rejected = isFileRejected ? '; the file now holds something that is rejected' : '';
  return { name: 'service keys', ok: true, detail: `${inUse}${rejected}` };
}

function clockCheck(now: Date): ReadinessCheck {
  const ok = now >= EARLIEST_PLAUSIBLE_TIME;
  return { name: 'clock', ok, detail: ok ? 'within limits' : 'before 2026' };
}

function logOutputCheck({ fault, lostLines }: LogOutputStatus, needsLogOutput: boolean): ReadinessCheck {
  const lost = lostLines === 0 ? '' : `; lines lost since the start: ${lostLines}`;
  return {
    name: 'log output',
    ok: fault === undefined || !needsLogOutput,
    detail: fault === undefined ? `written${lost}` : `cannot be written (${fault})${lost}`,
  };
}
