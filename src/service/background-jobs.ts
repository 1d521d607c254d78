import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { ManagedCredentials } from '../credentials/managed-credentials.ts';
import type { ServiceLogger } from '../log/logger.ts';

export type BackgroundJobs = {
  /** Runs every job now, and again at its interval. */
  start(): void;
  stop(): void;
  /** Fetches the issuers' keys that are missing or old. Never rejects. */
  loadIssuerKeys(): Promise<void>;
};

export type BackgroundJobsOptions = {
  readonly verifier: () => TokenVerifier;
  /** Reads the files that may be replaced while the service runs. */
  readonly pollFiles: () => void;
  readonly credentials: Pick<ManagedCredentials, 'keepFresh'>;
  readonly logger: ServiceLogger;
};

/**
 * A changed file applies on its second poll. Polled, because file watchers miss some swaps of
 * symbolic links.
 */
const FILE_POLL_INTERVAL_MS = 1_000;

/**
 * How often missing or old issuer keys are requested without a caller. The verifier's cool-down
 * limits the requests.
 */
const KEY_LOAD_INTERVAL_MS = 10_000;

/** How often the credentials are checked. The source decides whether it renews them. */
const CREDENTIALS_INTERVAL_MS = 1_000;

/**
 * The work that no request starts: it polls the files of the policy and the
 * service keys, loads issuer keys and keeps the
 * credentials fresh. Its timers do not keep the process running.
 */
export function createBackgroundJobs({
  verifier,
  pollFiles,
  credentials,
  logger,
}: BackgroundJobsOptions): BackgroundJobs {
  const timers: NodeJS.Timeout[] = [];
  /** By issuer, the error that was logged last, so that each change is logged once. */
  const lastLoggedErrors = new Map<string, string | undefined>();

  return {
    start() {
      // Not awaited: while a slow issuer's keys are loading, only its own callers wait. Repeated: a
      // replica that is not ready receives no requests that would load the keys.
      void loadIssuerKeys();
      void credentials.keepFresh();
      timers.push(
        setInterval(() => void loadIssuerKeys(), KEY_LOAD_INTERVAL_MS).unref(),
        setInterval(pollFiles, FILE_POLL_INTERVAL_MS).unref(),
        setInterval(() => void credentials.keepFresh(), CREDENTIALS_INTERVAL_MS).unref(),
      );
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
    loadIssuerKeys,
  };

  async function loadIssuerKeys(): Promise<void> {
    // A reload replaces the verifier. The errors belong to the verifier that loads.
    const current = verifier();
    await current.preload();
    for (const { issuer, lastError, keysTooOld, fetchedAt } of current.status()) {
      const state = keysTooOld ? `too old: ${lastError}` : lastError;
      if (state === lastLoggedErrors.get(issuer)) continue;
      lastLoggedErrors.set(issuer, state);
      if (state === undefined) logger.info({ issuer }, 'the keys of the issuer can be fetched again');
      else if (keysTooOld)
        logger.error(
          { issuer, reason: lastError, fetchedAt },
          'the keys of the issuer are too old: its tokens are rejected with 503',
        );
      else logger.warn({ issuer, reason: lastError }, 'the keys of the issuer cannot be fetched');
    }
  }
}
