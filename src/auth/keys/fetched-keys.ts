import { type Clock, remainingMs } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import type { KeySource } from './key-source.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { VerificationKey } from './verification-key.ts';

export type FetchedKeysOptions = {
  readonly clock: Clock;
  /** See `KeySourcesOptions`. */
  readonly cooldownMs: number;
  readonly cacheMaxAgeMs: number;
};

/** Fetches for unknown key IDs per cool-down. With one, an invented ID would delay a new key. */
const MAX_FETCHES_FOR_UNKNOWN_KEYS = 3;

/**
 * Creates a cache of one key set that is fetched over the network.
 *
 * The key set is fetched if there is none, if it is older than `cacheMaxAgeMs`, and if a token
 * names a key that it does not contain. So the first token with a new key of the issuer is accepted
 * at once. Tokens with unknown keys cause at most three fetches per `cooldownMs`; after that, such
 * a token fails with `unavailable`, because the key may exist. After a failure, nothing is fetched
 * for `cooldownMs`. Concurrent requests share one fetch. While fetching fails, the last key set
 * stays in use for at most `maxStaleMs`.
 *
 * jose's createRemoteJWKSet is not used, for three reasons. It reads the machine's clock. Its
 * cool-down starts only after a success, so every request to an unreachable issuer would start a
 * fetch. It drops its keys when they are old.
 *
 * @returns a function that creates the key source of one issuer: `maxStaleMs` is how long its keys
 *   may be used without a successful refresh, and `select` returns the keys that belong to it. All
 *   sources share the fetched key set.
 */
export function createFetchedKeys(
  fetchKeySet: () => Promise<PublishedKeys>,
  { clock, cooldownMs, cacheMaxAgeMs }: FetchedKeysOptions,
): (maxStaleMs: number, select?: (keys: PublishedKeys) => PublishedKeys) => KeySource {
  let keySet: PublishedKeys | undefined;
  let fetchedAt: Date | undefined;
  let failedAt: Date | undefined;
  /** The start of the last three fetches for unknown keys, oldest first. */
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
    // After the clock was set back, the age is unknown. A fetch is then due, and the keys stay in
    // use even if it fails.
    return fetchedAt !== undefined && now.getTime() - fetchedAt.getTime() >= maxStaleMs;
  }

  async function load(): Promise<void> {
    if (isFetchDue(clock())) await fetchShared();
  }

  /**
   * @returns false if nothing was fetched, so that it is unknown whether the issuer has the key.
   */
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
    // Keys that were fetched after this call started are recent enough.
    const isKnown = attempts !== attemptsBefore || (await loadForUnknownKey());
    keys = await match();
    if (keys.length > 0) return keys;
    // The key may be new, and the issuer cannot be reached: reject with 503, not 401.
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
