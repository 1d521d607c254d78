import type { Clock } from '../clock.ts';
import { type Caller, callerFromClaims } from './caller.ts';
import { claimsFault } from './claims-fault.ts';
import { assertIssuers, type IssuerConfig } from './issuer.ts';
import type { KeySources } from './keys/create-key-sources.ts';
import type { KeySource, KeysStatus } from './keys/key-source.ts';
import { parseToken } from './parse-token.ts';
import { describeRejectedToken } from './rejected-token.ts';
import { unauthenticated } from './unauthenticated.ts';
import { createVerifiedTokens, digestToken, type VerifiedTokensOptions } from './verified-tokens.ts';
import { isSignedByOneOf } from './verify-signature.ts';

export type TokenVerifier = {
  /**
   * The caller that a token proves: at once where it was verified a short while ago, so that most requests wait for nothing.
   * Otherwise a promise, which rejects with ServiceError `unauthenticated` with `WWW-Authenticate` (RFC 6750 3), or
   * `unavailable` with `Retry-After` (seconds) when the keys of the token's issuer cannot be had. Never throws.
   */
  verify(token: string): Caller | Promise<Caller>;
  /** For /readyz: one entry per issuer. Never throws, and starts no network. */
  status(): readonly ({ readonly issuer: string } & KeysStatus)[];
  /** Fetches the keys of every issuer that lacks them, in parallel. Never rejects: failures are in `status`. */
  preload(): Promise<void>;
};

type TrustedIssuer = { readonly config: IssuerConfig; readonly keys: KeySource };

/**
 * Creates the one judge of tokens (RFC 7519, RFC 8725).
 *
 * The token's `iss`, compared character by character, chooses one issuer; from then on only the keys, algorithms and
 * audience of that issuer count, so that none can speak for another, and none that is out of reach holds up another.
 *
 * A token that was verified a short while ago is not verified again as long as its issuer has the same keys. Where fetching
 * keys is due, it is as if the token had never been seen.
 *
 * @throws TypeError for issuers that are configured twice or open to algorithm confusion.
 * @example
 * const verifier = createTokenVerifier({ issuers, clock, keySources: createKeySources({ clock, fetch }) });
 * const caller = await verifier.verify(bearerToken(request.headers.authorization));
 */
export function createTokenVerifier({
  issuers,
  clock,
  keySources,
  verifiedTokens,
}: {
  readonly issuers: readonly IssuerConfig[];
  readonly clock: Clock;
  readonly keySources: KeySources;
  readonly verifiedTokens?: VerifiedTokensOptions;
}): TokenVerifier {
  assertIssuers(issuers);
  const trusted = new Map<unknown, TrustedIssuer>(
    issuers.map((config) => [config.issuer, { config, keys: keySources(config) }]),
  );
  const verified = createVerifiedTokens<TrustedIssuer>(verifiedTokens);

  async function verifyUnknown(token: string, digest: string, now: Date): Promise<Caller> {
    const parsed = parseToken(token);
    const { header, claims } = parsed;
    const invalidToken = (detail: string) =>
      unauthenticated(detail, 'invalid_token', describeRejectedToken(parsed));
    if (claims.iss === undefined) throw invalidToken('The token does not say who issued it (iss).');
    const issuer = trusted.get(claims.iss);
    if (!issuer) throw invalidToken('The token is from an issuer (iss) that is not trusted here.');
    const { audience, algorithms } = issuer.config;
    if (!algorithms.includes(header.alg)) {
      throw invalidToken(`The algorithm (alg) of the token has to be ${algorithms.join(' or ')}.`);
    }
    const keySet = issuer.keys.keySet(now);
    const keys = await issuer.keys.find(header, now);
    if (keys.length === 0)
      throw invalidToken('The token is signed with a key that its issuer does not publish.');
    if (!isSignedByOneOf(keys, token))
      throw invalidToken('The signature of the token is not one that its issuer made.');
    // Fetching keys may have taken seconds.
    const verifiedAt = clock();
    const fault = claimsFault(claims, audience, verifiedAt);
    if (fault) throw invalidToken(fault);
    const caller = callerFromClaims(claims);
    if (keySet) verified.keep(digest, { caller, issuer, keySet }, verifiedAt);
    return caller;
  }

  return {
    verify(token) {
      const digest = digestToken(token);
      const now = clock();
      const known = verified.find(digest, now);
      return known && known.keySet === known.issuer.keys.keySet(now)
        ? known.caller
        : verifyUnknown(token, digest, now);
    },
    status: () => [...trusted.values()].map(({ config: { issuer }, keys }) => ({ issuer, ...keys.status() })),
    preload: async () => {
      await Promise.all([...trusted.values()].map(({ keys }) => keys.load()));
    },
  };
}
