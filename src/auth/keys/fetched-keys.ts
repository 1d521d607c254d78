import { type Clock, remainingMs } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import type { KeySource } from './key-source.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { VerificationKey } from './verification-key.ts';

export type FetchedKeysOptions = {
  readonly clock: Clock;
  /** The least time after a failed attempt, and the span within which unknown keys cause at most three fetches. */
  readonly cooldownMs: number;
  readonly cacheMaxAgeMs: number;
};

/** Fetches for unknown key IDs within one cool-down. With one only, a single made-up key ID would delay a real new key. */
const MAX_FETCHES_FOR_UNKNOWN_KEYS = 3;

/**
 * Keys that are fetched and kept.
 *
 * They are fetched when there are none, when they are older than `cacheMaxAgeMs`, and when a token names a key that is not
 * among them: the first token with a key that the issuer has just begun to use is accepted at once. Tokens with unknown keys
 * cause at most three fetches per `cooldownMs`, whatever callers send; a token that comes after them is neither good nor bad
 * (`unavailable`). After a failure nothing is fetched for `cooldownMs`; and one fetch serves all who wait. While fetching fails,
 * the keys of the last good fetch stay in use, for as long as the issuer's `maxStaleMs` allows.
 *
 * jose's own createRemoteJWKSet is not used: it reads the machine's clock, starts its cool-down only after a success, so
 * that every request to an unreachable issuer would be a new attempt, and drops its keys when they are old.
 *
 * @returns the keys for one issuer, which says for how long they may verify without having been refreshed, and which of them are
 *   its own. What is fetched is shared by all of them.
 */
export function createFetchedKeys(
  fetchKeySet: () => Promise<PublishedKeys>,
  { clock, cooldownMs, cacheMaxAgeMs }: FetchedKeysOptions,
): (maxStaleMs: number, select?: (keys: PublishedKeys) => PublishedKeys) => KeySource {
  let keySet: PublishedKeys | undefined;
  let fetchedAt: Date | undefined;
  let failedAt: Date | undefined;
  /** When fetches for unknown keys began, the latest three, oldest first. */
  let unknownKeyFetchesAt: readonly Date[] = [];
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

  async function fetchShared(): Promise<void> {
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

  function isTooOld(maxStaleMs: number, now: Date): boolean {
    // A clock that was set back says nothing about age; then a fetch is due, and a failing one must not end what works.
    return fetchedAt !== undefined && now.getTime() - fetchedAt.getTime() >= maxStaleMs;
  }

  async function load(): Promise<void> {
    if (isFetchDue(clock())) await fetchShared();
  }

  /** @returns false when nothing was fetched, so it is unknown whether the issuer has the key. */
  async function loadForUnknownKey(): Promise<boolean> {
    if (!pending) {
      const now = clock();
      if (coolsDownSince(failedAt, now)) return false;
      const recent = unknownKeyFetchesAt.filter((instant) => coolsDownSince(instant, now));
      if (recent.length >= MAX_FETCHES_FOR_UNKNOWN_KEYS) return false;
      unknownKeyFetchesAt = [...recent, now];
    }
    await fetchShared();
    return true;
  }

  async function findOrFetch(
    match: () => Promise<readonly VerificationKey[]>,
  ): Promise<readonly VerificationKey[]> {
    const attemptsBefore = attempts;
    await load();
    let keys = await match();
    if (keys.length > 0) return keys;
    // Keys that were fetched since the token came are as new as any.
    const isKnown = attempts !== attemptsBefore || (await loadForUnknownKey());
    keys = await match();
    if (keys.length > 0) return keys;
    // The issuer may have a new key that only it could show: the token is neither good nor bad.
    const now = clock();
    if (lastError)
      throw unavailable(
        'The verification keys of the issuer cannot be fetched; try again later.',
        remainingMs(failedAt, cooldownMs, now),
        lastError,
      );
    if (!isKnown)
      throw unavailable(
        'The service cannot look up the key of this token at the moment; try again later.',
        remainingMs(unknownKeyFetchesAt[0], cooldownMs, now),
      );
    return keys;
  }

  return (maxStaleMs, select = (keys) => keys) => ({
    load,
    find(header, now) {
      const isUsable = !isFetchDue(now) && !isTooOld(maxStaleMs, now);
      const cached = isUsable && keySet ? select(keySet).cached(header) : undefined;
      return (
        cached ??
        findOrFetch(async () =>
          keySet && !isTooOld(maxStaleMs, clock()) ? await select(keySet).match(header) : [],
        )
      );
    },
    keySet: (now) => (isFetchDue(now) || isTooOld(maxStaleMs, now) ? undefined : keySet),
    status: () => {
      const keysTooOld = isTooOld(maxStaleMs, clock());
      return {
        keysLoaded: keySet !== undefined && !keysTooOld,
        ...(keysTooOld && { keysTooOld }),
        ...(fetchedAt && { fetchedAt }),
        ...(lastError && { lastError: lastError.message }),
      };
    },
  });
}

function isSameKeySet(one: PublishedKeys, other: PublishedKeys): boolean {
  return JSON.stringify(one.jwks()) === JSON.stringify(other.jwks());
}

function unavailable(detail: string, retryAfterMs: number, cause?: Error): ServiceError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new ServiceError('unavailable', detail, {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    cause,
  });
}
