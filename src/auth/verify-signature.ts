import type { VerificationKey } from './keys/verification-key.ts';

/**
 * Whether one of the keys made the signature of a token in compact serialization, over its header and claims as they were
 * received, to the last byte (RFC 7515 5.2). Each key has its algorithm of its own; the token has no say in that.
 * @param token one that `parseToken` has taken apart: nothing but base64url and dots.
 */
export function isSignedByOneOf(keys: readonly VerificationKey[], token: string): boolean {
  const inputLength = token.lastIndexOf('.');
  const signingInput = Buffer.from(token.slice(0, inputLength), 'latin1');
  const signature = Buffer.from(token.slice(inputLength + 1), 'base64url');
  for (const key of keys) if (key.verifies(signingInput, signature)) return true;
  return false;
}
