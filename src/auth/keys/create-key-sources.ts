import type { Clock } from '../../clock.ts';
import type { JsonRequest } from '../../net/fetch-json.ts';
import {
  DEFAULT_MAX_STALE_SECONDS,
  type IssuerConfig,
  type IssuerKeys,
  MULTI_TENANT_ISSUER,
} from '../issuer.ts';
import { discoverKeySet, fetchKeySet } from './fetch-key-set.ts';
import { createFetchedKeys } from './fetched-keys.ts';
import type { KeySource } from './key-source.ts';
import { type PublishedKeys, toPublishedKeys } from './published-keys.ts';
import { createSecretVerificationKey } from './verification-key.ts';

/** Where Microsoft publishes the discovery document of {@link MULTI_TENANT_ISSUER}, whose `issuer` has the placeholder. */
const MULTI_TENANT_DISCOVERY = 'https://login.microsoftonline.com/common/v2.0';

/**
 * The keys of an issuer, from wherever its configuration says.
 * @param iss one of its issuers, if it stands for several: the keys that may sign for that one.
 * @throws TypeError if a given key set is none.
 */
export type KeySources = (issuer: IssuerConfig, iss?: string) => KeySource;

/**
 * Creates the one place where the keys of all issuers are kept. Keys that come from the same address are fetched and kept
 * once, also for issuers of a later policy: reloading one loses no keys, and grants no fetch before its time.
 *
 * @param options.timeoutMs how long fetching keys may take, discovery included; 5 s by default.
 * @param options.cooldownMs after a failed fetch, and the span for three fetches for keys that are not known; 30 s by default.
 * @param options.cacheMaxAgeMs after which keys are refreshed; 10 min by default.
 */
export function createKeySources({
  clock,
  fetch,
  timeoutMs = 5_000,
  cooldownMs = 30_000,
  cacheMaxAgeMs = 600_000,
}: {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs?: number;
  readonly cooldownMs?: number;
  readonly cacheMaxAgeMs?: number;
}): KeySources {
  const fetched = new Map<string, ReturnType<typeof createFetchedKeys>>();
  const request = (): JsonRequest => ({ fetch, signal: AbortSignal.timeout(timeoutMs) });

  function fetchedFrom(
    address: string,
    fetchKeys: Parameters<typeof createFetchedKeys>[0],
  ): ReturnType<typeof createFetchedKeys> {
    let source = fetched.get(address);
    if (!source) {
      source = createFetchedKeys(fetchKeys, { clock, cooldownMs, cacheMaxAgeMs });
      fetched.set(address, source);
    }
    return source;
  }

  function publishedKeys(
    { issuer, maxStaleSeconds }: IssuerConfig,
    keys: IssuerKeys,
    iss?: string,
  ): KeySource {
    const maxStaleMs = (maxStaleSeconds ?? DEFAULT_MAX_STALE_SECONDS) * 1000;
    const select =
      iss === undefined ? undefined : (published: PublishedKeys) => published.forIssuer(iss, issuer);
    switch (keys.kind) {
      case 'jwks': {
        const all = toPublishedKeys(keys.jwks);
        const published = select ? select(all) : all;
        return createGivenKeys((header) => published.cached(header) ?? published.match(header));
      }
      case 'jwksUrl':
        return fetchedFrom(`jwks ${keys.url}`, () => fetchKeySet(keys.url, request()))(maxStaleMs, select);
      case 'discovery': {
        const at = issuer === MULTI_TENANT_ISSUER ? MULTI_TENANT_DISCOVERY : issuer;
        const source = fetchedFrom(`discovery ${issuer}`, () => discoverKeySet(issuer, request(), at));
        return source(maxStaleMs, select);
      }
    }
  }

  return (config, iss) => {
    const { keys, secret } = config;
    const published = keys && publishedKeys(config, keys, iss);
    if (!secret) return published ?? createGivenKeys(() => []);
    const shared = createSharedKey(secret);
    return published ? createBothKeys(published, shared) : shared;
  };
}

function createSharedKey(secret: Uint8Array): KeySource {
  const keys = [createSecretVerificationKey(secret)];
  return createGivenKeys(({ alg }) => (alg === 'HS256' ? keys : []));
}

/** The secret for HS256 and for nothing else, the published keys for the rest: neither is ever tried in place of the other. */
function createBothKeys(published: KeySource, shared: KeySource): KeySource {
  return {
    ...published,
    find: (header, now) => (header.alg === 'HS256' ? shared : published).find(header, now),
  };
}

function createGivenKeys(find: KeySource['find']): KeySource {
  const keySet = {};
  return { find, load: async () => {}, keySet: () => keySet, status: () => ({ keysLoaded: true }) };
}
