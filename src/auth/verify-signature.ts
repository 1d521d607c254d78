import type { VerificationKey } from './keys/verification-key.ts';

/**
 * Returns whether one of the keys made the signature of a token in compact serialization.
 *
 * The signature covers header and claims exactly as received (RFC 7515 5.2). Each key has its own
 * algorithm, which the token cannot choose.
 * @param token one that `parseToken` accepted: only base64url and dots.
 */
export function isSignedByOneOf(keys: readonly VerificationKey[], token: string): boolean {
  const inputLength = token.lastIndexOf('.');
  const signingInput = Buffer.from(token.slice(0, inputLength), 'latin1');
  const signature = Buffer.from(token.slice(inputLength + 1), 'base64url');
  for (const key of keys) if (key.verifies(signingInput, signature)) return true;
  return false;
}
