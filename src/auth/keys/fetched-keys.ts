import { type Clock, remainingMs } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import type { ParsedToken } from '../parse-token.ts';
import type { KeySource } from './key-source.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { VerificationKey } from './verification-key.ts';

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
  fetchKeySet: () => Promise<PublishedKeys>,
  { clock, cooldownMs, cacheMaxAgeMs }: FetchedKeysOptions,
): KeySource {
  let keySet: PublishedKeys | undefined;
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

  const coolsDownSince = (instant: Date | undefined, now: Date) => remainingMs(instant, cooldownMs, now) > 0;

  function isFetchDue(now: Date): boolean {
    if (remainingMs(fetchedAt, cacheMaxAgeMs, now) > 0) return false;
    return pending !== undefined || !coolsDownSince(failedAt, now);
  }

  async function load(): Promise<void> {
    if (isFetchDue(clock())) await fetchOnceForAll();
  }

  async function loadForUnknownKey(): Promise<void> {
    if (!pending) {
      const now = clock();
      if (coolsDownSince(failedAt, now) || coolsDownSince(askedForUnknownAt, now)) return;
      askedForUnknownAt = now;
    }
    await fetchOnceForAll();
  }

  async function findOrFetch(header: ParsedToken['header']): Promise<readonly VerificationKey[]> {
    const attemptsBefore = attempts;
    await load();
    let keys = (await keySet?.match(header)) ?? [];
    // Keys that were fetched since the token came are as new as any.
    if (keys.length === 0 && attempts === attemptsBefore) {
      await loadForUnknownKey();
      keys = (await keySet?.match(header)) ?? [];
    }
    // The issuer may have a new key that only it could show: the token is neither good nor bad.
    if (keys.length === 0 && lastError) {
      throw unavailable(lastError, remainingMs(failedAt, cooldownMs, clock()));
    }
    return keys;
  }

  return {
    load,
    find(header, now) {
      const remembered = isFetchDue(now) ? undefined : keySet?.recall(header);
      return remembered ?? findOrFetch(header);
    },
    keySet: (now) => (isFetchDue(now) ? undefined : keySet),
    status: () => ({
      keysLoaded: keySet !== undefined,
      ...(fetchedAt && { fetchedAt }),
      ...(lastError && { lastError: lastError.message }),
    }),
  };
}

function isSameKeySet(one: PublishedKeys, other: PublishedKeys): boolean {
  return JSON.stringify(one.jwks()) === JSON.stringify(other.jwks());
}

function unavailable(cause: Error, retryAfterMs: number): ServiceError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new ServiceError('unavailable', 'The keys of the issuer cannot be fetched; try again later.', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    cause,
  });
}
