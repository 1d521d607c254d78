import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import type { ParsedToken } from '../parse-token.ts';
import { createPublicVerificationKey, type VerificationKey } from './verification-key.ts';

/** Limits the work that a token without `kid` can cause. */
const MAX_CANDIDATES = 8;

/** The keys of a JSON Web Key Set (RFC 7517 5). */
export type PublishedKeys = {
  /**
   * Returns the keys that match the header's `alg` and `kid`.
   *
   * They are public and asymmetric, have the right type and curve, and are not for encryption
   * (`use`, `key_ops`) or for another `alg`. Without a `kid`, several may match; at most eight are
   * returned. A key that cannot be imported never matches.
   */
  match(header: ParsedToken['header']): Promise<readonly VerificationKey[]>;
  /**
   * The keys that `match` found before for the same `alg` and `kid`; undefined if it found none
   * yet.
   */
  cached(header: ParsedToken['header']): readonly VerificationKey[] | undefined;
  /** The original set. */
  jwks(): JSONWebKeySet;
  /**
   * Returns the keys that may sign for one of the issuers that share this set.
   *
   * Microsoft Entra ID adds a member `issuer` to its keys. A key belongs to `issuer` if that member
   * is absent, `issuer` or `issuerOfAll`. The same issuer gets the same object each time.
   */
  forIssuer(issuer: string, issuerOfAll: string): PublishedKeys;
};

/**
 * Reads a JSON Web Key Set.
 * @throws TypeError if the value is not one (RFC 7517 5).
 */
export function toPublishedKeys(value: unknown): PublishedKeys {
  const keySet = toKeySet(value);
  // Callers choose `kid`, so only the IDs of existing keys are cached: at most one entry per key
  // and algorithm.
  const byIssuer = new Map<string, PublishedKeys>();
  const matched = new Map<string, Map<string | undefined, readonly VerificationKey[]>>();

  return {
    async match(header) {
      const { alg, kid } = header;
      const keys = (await findKeys(keySet, header)).map((key) => createPublicVerificationKey(alg, key));
      if (keys.length > 0) {
        const ofAlgorithm = matched.get(alg) ?? new Map();
        matched.set(alg, ofAlgorithm.set(kid, keys));
      }
      return keys;
    },
    cached: ({ alg, kid }) => matched.get(alg)?.get(kid),
    jwks: () => keySet.jwks(),
    forIssuer(issuer, issuerOfAll) {
      let keys = byIssuer.get(issuer);
      if (!keys) {
        const accepted: readonly unknown[] = [undefined, issuer, issuerOfAll];
        keys = toPublishedKeys({
          keys: keySet
            .jwks()
            .keys.filter((key) => accepted.includes((key as { readonly issuer?: unknown }).issuer)),
        });
        byIssuer.set(issuer, keys);
      }
      return keys;
    },
  };
}

function toKeySet(value: unknown): LocalJWKSet {
  try {
    return createLocalJWKSet(value as JSONWebKeySet);
  } catch (cause) {
    throw new TypeError('This is not a JSON Web Key Set.', { cause });
  }
}

async function findKeys(
  keySet: LocalJWKSet,
  { alg, kid }: ParsedToken['header'],
): Promise<readonly CryptoKey[]> {
  try {
    return [await keySet(kid === undefined ? { alg } : { alg, kid })];
  } catch (error) {
    return error instanceof errors.JWKSMultipleMatchingKeys ? takeCandidates(error) : [];
  }
}

async function takeCandidates(candidates: AsyncIterable<CryptoKey>): Promise<readonly CryptoKey[]> {
  const keys: CryptoKey[] = [];
  for await (const key of candidates) {
    if (keys.push(key) === MAX_CANDIDATES) break;
  }
  return keys;
}
