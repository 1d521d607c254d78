import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import type { ParsedToken } from '../parse-token.ts';
import { createPublicVerificationKey, type VerificationKey } from './verification-key.ts';

/** Bounds the work that one token without `kid` can cause. */
const MAX_CANDIDATES = 8;

/** The keys of a JSON Web Key Set (RFC 7517 5). */
export type PublishedKeys = {
  /**
   * The keys that fit the header's `alg` and `kid`: public, asymmetric, of the right type and curve, and neither for
   * encryption (`use`, `key_ops`) nor for another `alg`. Without a `kid` several may fit; at most eight are answered.
   * A key that cannot be imported does not fit.
   */
  match(header: ParsedToken['header']): Promise<readonly VerificationKey[]>;
  /** What `match` answered to the like before, where it found any; undefined says nothing. */
  cached(header: ParsedToken['header']): readonly VerificationKey[] | undefined;
  /** The set as it was given. */
  jwks(): JSONWebKeySet;
  /**
   * The keys that may sign for one of the issuers that share this set: those that name it, the issuer of all or none in their
   * member `issuer`, which Microsoft Entra ID adds. The same object for the same issuer.
   */
  forIssuer(issuer: string, issuerOfAll: string): PublishedKeys;
};

/** @throws TypeError where the value is not a JSON Web Key Set (RFC 7517 5). */
export function toPublishedKeys(value: unknown): PublishedKeys {
  const keySet = toKeySet(value);
  // Callers choose `kid`, so only those of keys that exist are remembered: never more than there are keys and algorithms.
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
