import type { Clock } from '../../clock.ts';
import type { IssuerConfig, IssuerKeys } from '../issuer.ts';
import type { JsonRequest } from './fetch-json.ts';
import { discoverKeySet, fetchKeySet } from './fetch-key-set.ts';
import { createFetchedKeys } from './fetched-keys.ts';
import type { KeySource } from './key-source.ts';
import { toPublishedKeys } from './published-keys.ts';
import { createSecretVerificationKey } from './verification-key.ts';

/**
 * The keys of an issuer, from wherever its configuration says.
 * @throws TypeError where a given key set is none.
 */
export type KeySources = (issuer: IssuerConfig) => KeySource;

/**
 * Creates the one place where the keys of all issuers are kept. Keys that come from the same address are fetched and kept
 * once, also for issuers of a later policy: reloading one loses no keys, and grants no fetch before its time.
 *
 * @param options.timeoutMs how long fetching keys may take, discovery included; 5 s by default.
 * @param options.cooldownMs between two fetches for keys that are not known, and after a failed one; 30 s by default.
 * @param options.cacheMaxAgeMs after which keys are fetched anew; 10 min by default.
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
  const fetched = new Map<string, KeySource>();
  const request = (): JsonRequest => ({ fetch, signal: AbortSignal.timeout(timeoutMs) });

  function fetchedFrom(address: string, fetchKeys: Parameters<typeof createFetchedKeys>[0]): KeySource {
    let source = fetched.get(address);
    if (!source) {
      source = createFetchedKeys(fetchKeys, { clock, cooldownMs, cacheMaxAgeMs });
      fetched.set(address, source);
    }
    return source;
  }

  return ({ issuer, keys }) => {
    switch (keys.kind) {
      case 'secret':
        return createSharedKey(keys);
      case 'jwks':
        return createJwksKeys(keys);
      case 'jwksUrl':
        return fetchedFrom(`jwks ${keys.url}`, () => fetchKeySet(keys.url, request()));
      case 'discovery':
        return fetchedFrom(`discovery ${issuer}`, () => discoverKeySet(issuer, request()));
    }
  };
}

function createJwksKeys({ jwks }: Extract<IssuerKeys, { kind: 'jwks' }>): KeySource {
  const published = toPublishedKeys(jwks);
  return createGivenKeys((header) => published.recall(header) ?? published.match(header));
}

function createSharedKey({ secret }: Extract<IssuerKeys, { kind: 'secret' }>): KeySource {
  const keys = [createSecretVerificationKey(secret)];
  return createGivenKeys(() => keys);
}

function createGivenKeys(find: KeySource['find']): KeySource {
  const keySet = {};
  return { find, load: async () => {}, keySet: () => keySet, status: () => ({ keysLoaded: true }) };
}
