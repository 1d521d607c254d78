import type { LocalJWKSet } from 'jose';
import { type Clock, remainingMs } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import type { KeySource } from './key-source.ts';
import { matchKeys } from './match-keys.ts';

export type FetchedKeysOptions = {
  readonly clock: Clock;
  /** The least time between two attempts for keys that are not known, and after a failed attempt. */
  readonly cooldownMs: number;
  readonly cacheMaxAgeMs: number;
};

/**
 * Keys that are fetched and kept.
 *
 * They are fetched when there are none, when they are older than `cacheMaxAgeMs`, and when a token names a key that is not
 * among them: the first token with a key that the issuer has just begun to use is answered at once. Tokens with unknown keys
 * cause at most one fetch per `cooldownMs`, whatever callers send; after a failure nothing is fetched for as long; and one
 * fetch serves all who wait. While a fetch fails, the keys of the last good one stay in use.
 *
 * jose's own createRemoteJWKSet is not used: it reads the machine's clock, starts its cool-down only after a success, so
 * that every request to an unreachable issuer would be a new attempt, and drops its keys when they are old.
 */
export function createFetchedKeys(
  fetchKeySet: () => Promise<LocalJWKSet>,
  { clock, cooldownMs, cacheMaxAgeMs }: FetchedKeysOptions,
): KeySource {
  let keySet: LocalJWKSet | undefined;
  let fetchedAt: Date | undefined;
  let failedAt: Date | undefined;
  let askedForUnknownAt: Date | undefined;
  let lastError: Error | undefined;
  let pending: Promise<void> | undefined;
  let attempts = 0;

  async function attempt(): Promise<void> {
    const startedAt = clock();
    attempts++;
    try {
      const fetched = await fetchKeySet();
      if (!keySet || !isSameKeySet(keySet, fetched)) keySet = fetched;
      fetchedAt = startedAt;
      failedAt = undefined;
      lastError = undefined;
    } catch (error) {
      failedAt = startedAt;
      lastError = error instanceof Error ? error : new Error(String(error));
    }
  }

  async function fetchOnceForAll(): Promise<void> {
    pending ??= attempt().finally(() => {
      pending = undefined;
    });
    await pending;
  }

  const coolsDownSince = (instant: Date | undefined) => remainingMs(instant, cooldownMs, clock()) > 0;

  function isFetchDue(): boolean {
    if (remainingMs(fetchedAt, cacheMaxAgeMs, clock()) > 0) return false;
    return pending !== undefined || !coolsDownSince(failedAt);
  }

  async function load(): Promise<void> {
    if (isFetchDue()) await fetchOnceForAll();
  }

  async function loadForUnknownKey(): Promise<void> {
    if (!pending) {
      if (coolsDownSince(failedAt) || coolsDownSince(askedForUnknownAt)) return;
      askedForUnknownAt = clock();
    }
    await fetchOnceForAll();
  }

  return {
    load,
    async find(header) {
      const attemptsBefore = attempts;
      await load();
      let keys = keySet ? await matchKeys(keySet, header) : [];
      // Keys that were fetched since the token came are as new as any.
      if (keys.length === 0 && attempts === attemptsBefore) {
        await loadForUnknownKey();
        keys = keySet ? await matchKeys(keySet, header) : [];
      }
      // The issuer may have a new key that only it could show: the token is neither good nor bad.
      if (keys.length === 0 && lastError) {
        throw unavailable(lastError, remainingMs(failedAt, cooldownMs, clock()));
      }
      return keys;
    },
    keySet: () => (isFetchDue() ? undefined : keySet),
    status: () => ({
      keysLoaded: keySet !== undefined,
      ...(fetchedAt && { fetchedAt }),
      ...(lastError && { lastError: lastError.message }),
    }),
  };
}

function isSameKeySet(one: LocalJWKSet, other: LocalJWKSet): boolean {
  return JSON.stringify(one.jwks()) === JSON.stringify(other.jwks());
}

function unavailable(cause: Error, retryAfterMs: number): ServiceError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new ServiceError('unavailable', 'The keys of the issuer cannot be fetched; try again later.', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    cause,
  });
}
