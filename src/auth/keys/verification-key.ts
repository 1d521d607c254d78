import {
  constants,
  createHmac,
  createSecretKey,
  KeyObject,
  timingSafeEqual,
  verify,
  type webcrypto,
} from 'node:crypto';
import type { AsymmetricAlgorithm } from '../issuer.ts';

/** A key that verifies signatures of exactly one algorithm (RFC 8725 3.1). */
export type VerificationKey = {
  /** Whether this key signed exactly these bytes. Never throws, whatever the signature is. */
  verifies(signingInput: Uint8Array, signature: Uint8Array): boolean;
};

/** RFC 7518 3.3 and 3.5. */
const MIN_MODULUS_BITS = 2048;

/**
 * The requirements for a key, and the form of its signatures. `name`, `hash` and `namedCurve` are
 * those of WebCrypto.
 */
type Scheme =
  | { readonly name: 'RSASSA-PKCS1-v1_5'; readonly hash: string }
  | { readonly name: 'RSA-PSS'; readonly hash: string; readonly saltBytes: number }
  | {
      readonly name: 'ECDSA';
      readonly hash: string;
      readonly namedCurve: string;
      readonly signatureBytes: number;
    }
  | { readonly name: 'Ed25519'; readonly signatureBytes: number };

/**
 * RFC 7518 3.3 (RS), 3.5 (PS: the salt is as long as the hash) and 3.4 (ES: the algorithm
 * determines the curve). `EdDSA` (RFC 8037) is supported with Ed25519 only; RFC 9864 names that
 * `Ed25519`.
 */
const SCHEMES: Readonly<Record<AsymmetricAlgorithm, Scheme>> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltBytes: 32 },
  PS384: { name: 'RSA-PSS', hash: 'SHA-384', saltBytes: 48 },
  PS512: { name: 'RSA-PSS', hash: 'SHA-512', saltBytes: 64 },
  ES256: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256', signatureBytes: 64 },
  ES384: { name: 'ECDSA', hash: 'SHA-384', namedCurve: 'P-384', signatureBytes: 96 },
  ES512: { name: 'ECDSA', hash: 'SHA-512', namedCurve: 'P-521', signatureBytes: 132 },
  EdDSA: { name: 'Ed25519', signatureBytes: 64 },
  Ed25519: { name: 'Ed25519', signatureBytes: 64 },
};

/**
 * Creates the verification key of a published key for one algorithm.
 *
 * If the key does not fit the algorithm, it verifies nothing: if it is not public, was imported for
 * another use, has another curve or hash, or is an RSA key of less than 2048 bits. The same is true
 * if the algorithm is not asymmetric.
 *
 * A signature must have the exact length that algorithm and key define: for RSA the length of the
 * modulus (RFC 8017 8.1.2 and 8.2.2), for ECDSA r and s at full length, never DER (RFC 7518 3.4).
 */
export function createPublicVerificationKey(algorithm: string, key: webcrypto.CryptoKey): VerificationKey {
  const scheme = Object.hasOwn(SCHEMES, algorithm) ? SCHEMES[algorithm as AsymmetricAlgorithm] : undefined;
  if (!scheme || !fits(scheme, key)) return { verifies: () => false };
  const hash = 'hash' in scheme ? scheme.hash : null;
  const signatureBytes = 'signatureBytes' in scheme ? scheme.signatureBytes : Math.ceil(modulusBits(key) / 8);
  // `verify` reads its options from its argument, a KeyObject or `{ key, …options }`. The second
  // form costs 17 µs more per call, 7 % of a request with a new token. If Node.js ignored the
  // options of a KeyObject, no PS or ES signature would verify.
  // https://github.com/nodejs/node/blob/v24.21.0/lib/internal/crypto/sig.js
  const keyWithOptions = Object.assign(KeyObject.from(key), signatureOptions(scheme));
  return {
    verifies(signingInput, signature) {
      if (signature.length !== signatureBytes) return false;
      try {
        return verify(hash, signingInput, keyWithOptions, signature);
      } catch {
        // OpenSSL cannot use this key. Another key of the issuer may still verify the token.
        return false;
      }
    },
  };
}

/**
 * Creates the verification key of a secret, for HS256 (RFC 7518 3.2). It compares in constant time.
 * @param secret `assertIssuers` has checked its length.
 */
export function createSecretVerificationKey(secret: Uint8Array): VerificationKey {
  const key = createSecretKey(secret);
  return {
    verifies(signingInput, signature) {
      const expected = createHmac('sha256', key).update(signingInput).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

function fits(scheme: Scheme, key: webcrypto.CryptoKey): boolean {
  const algorithm = key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm & webcrypto.EcKeyAlgorithm>;
  if (key.type !== 'public' || !key.usages.includes('verify') || algorithm.name !== scheme.name) return false;
  switch (scheme.name) {
    case 'RSASSA-PKCS1-v1_5':
    case 'RSA-PSS':
      return algorithm.hash?.name === scheme.hash && modulusBits(key) >= MIN_MODULUS_BITS;
    case 'ECDSA':
      return algorithm.namedCurve === scheme.namedCurve;
    case 'Ed25519':
      return true;
  }
}

function modulusBits(key: webcrypto.CryptoKey): number {
  return (key.algorithm as webcrypto.RsaHashedKeyAlgorithm).modulusLength;
}

function signatureOptions(scheme: Scheme): object {
  switch (scheme.name) {
    case 'RSASSA-PKCS1-v1_5':
      return { padding: constants.RSA_PKCS1_PADDING };
    case 'RSA-PSS':
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes };
    case 'ECDSA':
      return { dsaEncoding: 'ieee-p1363' };
    case 'Ed25519':
      return {};
  }
}
