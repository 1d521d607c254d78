import { type Clock, remainingMs } from '../clock.ts';
import {
  type Credentials,
  credentialsUnavailable,
  MIN_CREDENTIALS_SECONDS,
} from '../grants/ports/credentials-source.ts';
import { rejectAfter } from '../net/reject-after.ts';
import type { CredentialsLog, ManagedCredentials } from './managed-credentials.ts';

export type RefreshingCredentialsOptions = {
  /** The name of the source in `/readyz` and the log. */
  readonly name: string;
  /**
   * Calls the source once. All parts of the credentials come from one response. Rejects with an
   * Error whose message is safe to show to operators.
   */
  readonly load: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /** Limit for one attempt. */
  readonly attemptLimitMs: number;
};

/** Credentials are renewed at the latest when this much of their lifetime is left. */
const MIN_LEAD_MS = 5 * 60_000;

/**
 * Or when this fraction of their lifetime is left, if that is earlier. URLs expire with the
 * credentials, so a late renewal would shorten them.
 */
const RENEWAL_LEAD_FRACTION = 1 / 3;

/** The renewal interval for credentials without an expiry, such as a profile that can be edited. */
const UNKNOWN_LIFETIME_MS = 5 * 60_000;

/**
 * Minimum pause after a success, so that a source that returns the same value is not called in a
 * loop.
 */
const AFTER_SUCCESS_MS = 30_000;

/** The pause after a failure. It doubles with each failure, up to the last value. */
const FIRST_BACK_OFF_MS = 1_000;
const LAST_BACK_OFF_MS = 30_000;

/**
 * Creates a source whose credentials expire and are renewed before they do.
 *
 * All waiting requests share one attempt. No request waits while the current credentials have at
 * least {@link MIN_CREDENTIALS_SECONDS} left. A failed attempt changes only the time of the next
 * one: the current credentials stay in use until they expire. New credentials replace them as a
 * whole if they arrive within the limit, have not expired, and do not expire earlier.
 */
export function createRefreshingCredentials(options: RefreshingCredentialsOptions): ManagedCredentials {
  const { name, load, clock, log, attemptLimitMs } = options;
  let inUse: { readonly credentials: Credentials; readonly since: Date; readonly leadMs: number } | undefined;
  let pending: Promise<void> | undefined;
  let lastAttempt: { readonly endedAt: Date; readonly waitMs: number } | undefined;
  let failuresInRow = 0;
  let lastFailure: string | undefined;

  const remainingLifetimeMs = () =>
    inUse?.credentials.expiresAt
      ? inUse.credentials.expiresAt.getTime() - clock().getTime()
      : Number.POSITIVE_INFINITY;
  const usable = () =>
    inUse && remainingLifetimeMs() >= MIN_CREDENTIALS_SECONDS * 1000 ? inUse.credentials : undefined;
  const waitMs = () => (lastAttempt ? remainingMs(lastAttempt.endedAt, lastAttempt.waitMs, clock()) : 0);

  function isDue(): boolean {
    if (!inUse || !usable()) return true;
    if (inUse.credentials.expiresAt) return remainingLifetimeMs() <= inUse.leadMs;
    return remainingMs(inUse.since, UNKNOWN_LIFETIME_MS, clock()) === 0;
  }

  function renew(): Promise<void> {
    if (!pending && waitMs() === 0) {
      pending = attempt().finally(() => {
        pending = undefined;
      });
    }
    return pending ?? Promise.resolve();
  }

  async function attempt(): Promise<void> {
    try {
      accept(await rejectAfter(attemptLimitMs, load));
      failuresInRow = 0;
      lastFailure = undefined;
      lastAttempt = { endedAt: clock(), waitMs: AFTER_SUCCESS_MS };
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      if (reason !== lastFailure) {
        log.warn({ credentialsSource: name, reason }, 'the cloud credentials cannot be renewed');
      }
      lastFailure = reason;
      const backOffMs = Math.min(FIRST_BACK_OFF_MS * 2 ** failuresInRow++, LAST_BACK_OFF_MS);
      lastAttempt = { endedAt: clock(), waitMs: backOffMs };
    }
  }

  function accept(credentials: Credentials): void {
    const now = clock();
    const { expiresAt, accessKeyId } = credentials;
    if (expiresAt && expiresAt <= now) throw new Error('the credentials in the response have expired');
    if (usable() && inUse?.credentials.expiresAt && expiresAt) {
      const gainedMs = expiresAt.getTime() - inUse.credentials.expiresAt.getTime();
      // Same credentials again: keep the original renewal time, otherwise renewal would drift.
      if (gainedMs < 0 || (gainedMs === 0 && accessKeyId === inUse.credentials.accessKeyId)) return;
    }
    if (accessKeyId !== inUse?.credentials.accessKeyId) {
      log.info(
        { credentialsSource: name, expiresAt: expiresAt?.toISOString() ?? null },
        'the cloud credentials are renewed',
      );
    }
    const lifetimeMs = expiresAt ? expiresAt.getTime() - now.getTime() : 0;
    inUse = {
      credentials: Object.freeze({ ...credentials }),
      since: now,
      leadMs: Math.max(MIN_LEAD_MS, lifetimeMs * RENEWAL_LEAD_FRACTION),
    };
  }

  function describe(): { readonly ok: boolean; readonly detail: string } {
    const failing = lastFailure === undefined ? '' : `; renewing fails: ${lastFailure}`;
    if (!inUse) return { ok: false, detail: `${name}: ${lastFailure ?? 'no response yet'}` };
    if (!usable()) return { ok: false, detail: `${name}, expired or about to expire${failing}` };
    const minutes = Math.floor(remainingLifetimeMs() / 60_000);
    const life = Number.isFinite(minutes) ? `valid for ${minutes} min` : 'without a known expiry';
    return { ok: true, detail: `${name}, ${life}${failing}` };
  }

  return {
    async get() {
      if (!usable()) await renew();
      else if (isDue()) void renew();
      const credentials = usable();
      if (!credentials) {
        const cause = new Error(
          `no cloud credentials: ${lastFailure ?? 'they have expired or are about to'}`,
        );
        throw credentialsUnavailable(cause, Math.max(1, Math.ceil(waitMs() / 1000)));
      }
      return credentials;
    },
    describe,
    expiresAt: () => inUse?.credentials.expiresAt,
    keepFresh: () => (isDue() ? renew() : Promise.resolve()),
  };
}
