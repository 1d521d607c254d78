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
   * Asks the source, once, for a value of which all parts come from one answer. Rejects with an Error whose message may
   * be shown to operators.
   */
  readonly load: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /** For one attempt, however long the source would take. */
  readonly attemptLimitMs: number;
};

/** Credentials are renewed when this much of their lifetime is left, or earlier. */
const MIN_LEAD_MS = 5 * 60_000;

/** Or when this fraction is left. URLs end with the credentials, so a late renewal would shorten them. */
const RENEWAL_LEAD_FRACTION = 1 / 3;

/** The renewal interval of a source without an expiry, such as a profile that may be edited. */
const UNKNOWN_LIFETIME_MS = 5 * 60_000;

/** Minimum pause after a success, so that a source that returns the same value is not called in a loop. */
const AFTER_SUCCESS_MS = 30_000;

/** The pause after a failure: doubled with each one, from the first to the last. */
const FIRST_BACK_OFF_MS = 1_000;
const LAST_BACK_OFF_MS = 30_000;

/**
 * Credentials that end, and are renewed ahead of their end.
 *
 * All who wait share one attempt, and while the value in use has 30 s left nobody waits. A failed attempt changes nothing
 * but the time of the next one: the value in use stays until its end. An answer counts when it comes within the limit, has
 * not ended, and does not end before the value in use; it replaces that value whole.
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
    if (expiresAt && expiresAt <= now) throw new Error('the answer had already ended');
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
    if (!inUse) return { ok: false, detail: `${name}: ${lastFailure ?? 'no answer yet'}` };
    if (!usable()) return { ok: false, detail: `${name}, at its end${failing}` };
    const minutes = Math.floor(remainingLifetimeMs() / 60_000);
    const life = Number.isFinite(minutes) ? `valid for ${minutes} min` : 'without a known end';
    return { ok: true, detail: `${name}, ${life}${failing}` };
  }

  return {
    async get() {
      if (!usable()) await renew();
      else if (isDue()) void renew();
      const credentials = usable();
      if (!credentials) {
        const cause = new Error(`no cloud credentials: ${lastFailure ?? 'they are at their end'}`);
        throw credentialsUnavailable(cause, Math.max(1, Math.ceil(waitMs() / 1000)));
      }
      return credentials;
    },
    describe,
    expiresAt: () => inUse?.credentials.expiresAt,
    keepFresh: () => (isDue() ? renew() : Promise.resolve()),
  };
}
