import type { IssuerConfig } from '../issuer.ts';
import type { JsonRequest } from './fetch-json.ts';
import { discoverKeySet, fetchKeySet } from './fetch-key-set.ts';
import { createFetchedKeys, type FetchedKeysOptions } from './fetched-keys.ts';
import type { KeySource } from './key-source.ts';
import { matchKeys, toKeySet } from './match-keys.ts';

export type KeySourceOptions = FetchedKeysOptions & {
  readonly fetch: typeof fetch;
  /** For discovery and key set together. */
  readonly timeoutMs: number;
};

/**
 * The keys of an issuer, from wherever its configuration says.
 * @throws TypeError where a given key set is none.
 */
export function createKeySource({ issuer, keys }: IssuerConfig, options: KeySourceOptions): KeySource {
  const request = (): JsonRequest => ({
    fetch: options.fetch,
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  switch (keys.kind) {
    case 'secret':
      return createGivenKeys(async () => [keys.secret]);
    case 'jwks': {
      const keySet = toKeySet(keys.jwks);
      return createGivenKeys((header) => matchKeys(keySet, header));
    }
    case 'jwksUrl':
      return createFetchedKeys(() => fetchKeySet(keys.url, request()), options);
    case 'discovery':
      return createFetchedKeys(() => discoverKeySet(issuer, request()), options);
  }
}

function createGivenKeys(find: KeySource['find']): KeySource {
  return { find, load: async () => {}, status: () => ({ keysLoaded: true }) };
}
