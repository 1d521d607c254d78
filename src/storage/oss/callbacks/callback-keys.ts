import type { KeyObject } from 'node:crypto';
import { type Clock, remainingMs } from '../../../clock.ts';
import { callHttp, hostOf } from '../../../net/http-call.ts';
import { MAX_PEM_LENGTH, parseCallbackKey } from './callback-key.ts';

export type CallbackKeysOptions = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Returns a signal that is aborted after this time. */
  readonly timeout: (ms: number) => AbortSignal;
};

/**
 * Returns the key at an address.
 * @param deadline the key is not waited for any longer.
 * @throws Error that is safe to show to operators.
 */
export type FindCallbackKey = (url: string, deadline: Date) => Promise<KeyObject>;

/** The address of OSS's key. It has its own place, so that no invented address keeps it out. */
const PUBLISHED_URL = 'https://gosspublic.alicdn.com/callback_pub_key_v1.pem';
/** Places for addresses of later keys. */
const MAX_OTHER_URLS = 4;
const FRESH_MS = 60 * 60 * 1000;
const COOLDOWN_MS = 30_000;
const FETCH_TIMEOUT_MS = 3_000;

type Entry = {
  key: KeyObject | undefined;
  fetchedAt: Date | undefined;
  failedAt: Date | undefined;
  usedAt: Date;
  lastError: Error | undefined;
  pending: Promise<void> | undefined;
};

/**
 * Creates a cache of the keys at a few addresses.
 *
 * A key is fetched when it is first needed, and again after an hour; until that succeeds, the old
 * key stays in use. Concurrent calls share one fetch. After a failure, nothing is fetched from the
 * address for 30 s. OSS's key has a place of its own, and an address without a key never displaces
 * one that has a key. So invented addresses neither displace OSS's key nor keep it out, and cause
 * few fetches.
 */
export function createCallbackKeys({ fetch, clock, timeout }: CallbackKeysOptions): FindCallbackKey {
  const entries = new Map<string, Entry>();

  return async (url, deadline) => {
    const now = clock();
    const entry = entries.get(url) ?? addEntry(url, now);
    if (!entry) throw new Error(`too many keys of ${hostOf(url)} cannot be fetched at the moment`);
    entry.usedAt = now;
    const isDue =
      remainingMs(entry.fetchedAt, FRESH_MS, now) === 0 &&
      remainingMs(entry.failedAt, COOLDOWN_MS, now) === 0;
    if (isDue) entry.pending ??= load(url, entry);
    if (!entry.key && entry.pending) await waitFor(entry.pending, deadline.getTime() - now.getTime());
    if (entry.key) return entry.key;
    throw entry.lastError ?? new Error(`the key of ${hostOf(url)} was not there in time`);
  };

  /** @returns undefined if no address may be dropped. */
  function addEntry(url: string, now: Date): Entry | undefined {
    const others = entries.size - (entries.has(PUBLISHED_URL) ? 1 : 0);
    if (url !== PUBLISHED_URL && others >= MAX_OTHER_URLS) {
      const dropped = leastNeeded(now);
      if (dropped === undefined) return undefined;
      entries.delete(dropped);
    }
    const entry: Entry = {
      ...{ key: undefined, fetchedAt: undefined, failedAt: undefined },
      ...{ usedAt: now, lastError: undefined, pending: undefined },
    };
    entries.set(url, entry);
    return entry;
  }

  /** An address that failed and may be tried again; otherwise one that was not used for an hour. */
  function leastNeeded(now: Date): string | undefined {
    const idle = [...entries].filter(([url, { pending }]) => url !== PUBLISHED_URL && !pending);
    const failed = idle.find(
      ([, { key, failedAt }]) => !key && remainingMs(failedAt, COOLDOWN_MS, now) === 0,
    );
    const unused = idle.find(([, { key, usedAt }]) => key && remainingMs(usedAt, FRESH_MS, now) === 0);
    return (failed ?? unused)?.[0];
  }

  async function load(url: string, entry: Entry): Promise<void> {
    try {
      entry.key = await fetchKey(url);
      entry.fetchedAt = clock();
      entry.failedAt = undefined;
      entry.lastError = undefined;
    } catch (error) {
      entry.failedAt = clock();
      entry.lastError = error instanceof Error ? error : new Error(String(error));
    } finally {
      entry.pending = undefined;
    }
  }

  /** Has a time limit of its own: the deadline of one caller must not fail the fetch for others. */
  async function fetchKey(url: string): Promise<KeyObject> {
    const { body } = await callHttp(url, {
      fetch,
      signal: timeout(FETCH_TIMEOUT_MS),
      statuses: [200],
      maxBytes: MAX_PEM_LENGTH,
    });
    const parsed = parseCallbackKey(new TextDecoder().decode(body));
    if ('key' in parsed) return parsed.key;
    throw new Error(`the key of ${hostOf(url)} ${parsed.fault}`);
  }

  async function waitFor(pending: Promise<void>, leftMs: number): Promise<void> {
    if (leftMs <= 0) return;
    const late = Promise.withResolvers<void>();
    timeout(leftMs).addEventListener('abort', () => late.resolve(), { once: true });
    await Promise.race([pending, late.promise]);
  }
}
