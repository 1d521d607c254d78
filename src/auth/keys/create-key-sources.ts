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

/** Base address of the discovery document whose `issuer` is {@link MULTI_TENANT_ISSUER}. */
const MULTI_TENANT_DISCOVERY = 'https://login.microsoftonline.com/common/v2.0';

/**
 * Returns the source of an issuer's verification keys, chosen by its configuration.
 * @param iss the issuer whose keys to use, if the entry is for several issuers.
 * @throws TypeError if a configured key set is not a JSON Web Key Set.
 */
export type KeySources = (issuer: IssuerConfig, iss?: string) => KeySource;

export type KeySourcesOptions = {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds that fetching keys may take, discovery included; 1 or more. Default 5,000. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds between a failed fetch and the next one. Within the same time, unknown keys cause
   * at most three fetches. 0 or more. Default 30,000.
   */
  readonly cooldownMs?: number;
  /** Milliseconds after which keys are fetched again; 0 or more. Default 600,000. */
  readonly cacheMaxAgeMs?: number;
};

/**
 * Creates the cache of the verification keys of all issuers.
 *
 * Keys from one address are fetched and cached once, even when the policy is reloaded. So a reload
 * neither loses keys nor causes a fetch that is not due.
 */
export function createKeySources({
  clock,
  fetch,
  timeoutMs = 5_000,
  cooldownMs = 30_000,
  cacheMaxAgeMs = 600_000,
}: KeySourcesOptions): KeySources {
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
        return createConfiguredKeys((header) => published.cached(header) ?? published.match(header));
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
    if (!secret) return published ?? createConfiguredKeys(() => []);
    const shared = createSharedKey(secret);
    return published ? createBothKeys(published, shared) : shared;
  };
}

function createSharedKey(secret: Uint8Array): KeySource {
  const keys = [createSecretVerificationKey(secret)];
  return createConfiguredKeys(({ alg }) => (alg === 'HS256' ? keys : []));
}

/** Uses the secret for HS256 only, and published keys for every other algorithm (RFC 8725 2.1). */
function createBothKeys(published: KeySource, shared: KeySource): KeySource {
  return {
    ...published,
    find: (header, now) => (header.alg === 'HS256' ? shared : published).find(header, now),
  };
}

function createConfiguredKeys(find: KeySource['find']): KeySource {
  const keySet = {};
  return { find, load: async () => {}, keySet: () => keySet, status: () => ({ keysLoaded: true }) };
}
