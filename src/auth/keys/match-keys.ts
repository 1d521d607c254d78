import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import type { ParsedToken } from '../parse-token.ts';

/** Bounds the work that one token without `kid` can cause. */
const MAX_CANDIDATES = 8;

/** @throws TypeError where the value is not a JSON Web Key Set (RFC 7517 5). */
export function toKeySet(value: unknown): LocalJWKSet {
  try {
    return createLocalJWKSet(value as JSONWebKeySet);
  } catch (cause) {
    throw new TypeError('This is not a JSON Web Key Set.', { cause });
  }
}

/**
 * The keys of the set that fit the header's `alg` and `kid`: public, asymmetric, of the right type and curve, and neither
 * for encryption (`use`, `key_ops`) nor for another `alg`. Without a `kid` several may fit; at most eight are answered.
 * A key that cannot be imported does not fit.
 */
export async function matchKeys(
  keySet: LocalJWKSet,
  header: ParsedToken['header'],
): Promise<readonly CryptoKey[]> {
  const { alg, kid } = header;
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
