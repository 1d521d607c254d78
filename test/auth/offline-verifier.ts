import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import type { TestIssuer } from '../support/tokens.ts';
import { type Rejection, rejectionOf, unauthenticatedRejection } from './rejection.ts';

export const WRONG_SIGNATURE = "The token's signature was not made with its issuer's key.";
export const UNKNOWN_KEY = 'The token is signed with a key that its issuer does not publish.';
export const UNTRUSTED = "The token's issuer (`iss` claim) is not trusted by this service.";

export const noFetch: typeof fetch = () => Promise.reject(new Error('These tests use no network.'));

/** A verifier with a fixed clock and without a network. */
export function verifierOf(...issuers: readonly IssuerConfig[]): TokenVerifier {
  return createTokenVerifier({
    issuers,
    clock: fixedClock,
    keySources: createKeySources({ clock: fixedClock, fetch: noFetch }),
  });
}

export function rejectionOfToken(verifier: TokenVerifier, token: string): Promise<Rejection> {
  return rejectionOf(() => verifier.verify(token));
}

export function invalidToken(detail: string): Rejection {
  return unauthenticatedRejection(detail, 'invalid_token');
}

/** The configuration of the issuer with these published keys. */
export function withPublishedKeys({ config }: TestIssuer, keys: readonly object[]): IssuerConfig {
  return { ...config, keys: { kind: 'jwks', jwks: { keys } } };
}

/** An issuer that signs with HS256. */
export function sharedSecret(secret: Uint8Array): IssuerConfig {
  return { issuer: 'internal', audience: 'uploads', algorithms: ['HS256'], secret };
}
