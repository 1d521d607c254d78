import type { Clock } from '../clock.ts';
import { type Caller, callerFromClaims, type NamedByPolicy, reduceCaller } from './caller.ts';
import { claimsFault } from './claims-fault.ts';
import { assertIssuers, type IssuerConfig, issuersOf } from './issuer.ts';
import type { KeySources } from './keys/create-key-sources.ts';
import type { KeySource, KeysStatus } from './keys/key-source.ts';
import { parseToken } from './parse-token.ts';
import { describeRejectedToken } from './rejected-token.ts';
import { unauthenticated } from './unauthenticated.ts';
import { createVerifiedTokens, digestToken, type VerifiedTokensOptions } from './verified-tokens.ts';
import { isSignedByOneOf } from './verify-signature.ts';

export type TokenVerifier = {
  /**
   * Returns the caller that a token identifies: at once if the verified token is cached.
   *
   * Otherwise it returns a promise. It rejects with ServiceError `unauthenticated` with
   * `WWW-Authenticate` (RFC 6750 3), or with `unavailable` with `Retry-After` (seconds) while the
   * keys of the token's issuer are not available. Never throws.
   */
  verify(token: string): Caller | Promise<Caller>;
  /** For /readyz: one entry per issuer. Never throws, and does not use the network. */
  status(): readonly ({ readonly issuer: string } & KeysStatus)[];
  /** Fetches all missing keys in parallel. Never rejects: `status` reports failures. */
  preload(): Promise<void>;
};

/** The entry of one value of `iss`, and the tenant that its tokens must name. */
type TrustedIssuer = {
  readonly config: IssuerConfig;
  readonly keys: KeySource;
  readonly tenant: string | undefined;
};

/**
 * Creates the verifier of all tokens (RFC 7519, RFC 8725).
 *
 * The token's `iss`, compared character by character, selects one issuer. Only the keys, algorithms
 * and audience of that issuer are used. So no issuer can sign tokens of another one, and an issuer
 * that cannot be reached does not delay tokens of the others.
 *
 * A cached token is not verified again while its issuer has the same keys. While a fetch of the
 * keys is due, the cache is not used.
 *
 * @param options.namedByPolicy the claims and scopes that callers keep; all by default.
 * @throws TypeError for issuers that are configured twice or open to algorithm confusion.
 * @example
 * const keySources = createKeySources({ clock, fetch });
 * const verifier = createTokenVerifier({ issuers, clock, keySources });
 * const caller = await verifier.verify(bearerToken(request.headers.authorization));
 */
export function createTokenVerifier({
  issuers,
  namedByPolicy,
  clock,
  keySources,
  verifiedTokens,
}: {
  readonly issuers: readonly IssuerConfig[];
  readonly namedByPolicy?: NamedByPolicy;
  readonly clock: Clock;
  readonly keySources: KeySources;
  readonly verifiedTokens?: VerifiedTokensOptions;
}): TokenVerifier {
  assertIssuers(issuers);
  const entries = issuers.map((config) => ({ config, keys: keySources(config) }));
  const trusted = new Map<unknown, TrustedIssuer>();
  for (const entry of entries) {
    for (const { iss, tenant } of issuersOf(entry.config)) {
      const keys = tenant === undefined ? entry.keys : keySources(entry.config, iss);
      trusted.set(iss, { config: entry.config, keys, tenant });
    }
  }
  const verified = createVerifiedTokens<TrustedIssuer>(verifiedTokens);

  async function verifyUncached(token: string, digest: string, now: Date): Promise<Caller> {
    const parsed = parseToken(token);
    const { header, claims } = parsed;
    const issuer = trusted.get(claims.iss);
    const invalidToken = (detail: string) =>
      unauthenticated(detail, 'invalid_token', describeRejectedToken(parsed, issuer?.config.audienceClaim));
    if (claims.iss === undefined) throw invalidToken('The token has no issuer (`iss` claim).');
    if (!issuer) throw invalidToken("The token's issuer (`iss` claim) is not trusted by this service.");
    const { config, tenant } = issuer;
    if (!config.algorithms.includes(header.alg)) {
      throw invalidToken(`The token's algorithm (\`alg\` header) must be ${config.algorithms.join(' or ')}.`);
    }
    const keySet = issuer.keys.keySet(now);
    const keys = await issuer.keys.find(header, now);
    if (keys.length === 0)
      throw invalidToken('The token is signed with a key that its issuer does not publish.');
    if (!isSignedByOneOf(keys, token))
      throw invalidToken("The token's signature was not made with its issuer's key.");
    // Fetching keys may have taken seconds.
    const verifiedAt = clock();
    const fault = claimsFault(claims, config, verifiedAt);
    if (fault) throw invalidToken(fault);
    if (tenant !== undefined && claims.tid !== tenant)
      throw invalidToken(
        "The token's tenant (`tid` claim) is not the one that its issuer (`iss` claim) names.",
      );
    const complete = callerFromClaims(claims, tenant === undefined ? undefined : config.issuer);
    const caller = namedByPolicy ? reduceCaller(complete, namedByPolicy) : complete;
    const expiresAt = new Date(Number(claims.exp) * 1000);
    if (keySet) verified.keep(digest, { caller, issuer, keySet }, expiresAt, verifiedAt);
    return caller;
  }

  return {
    verify(token) {
      const digest = digestToken(token);
      const now = clock();
      const known = verified.find(digest, now);
      return known && known.keySet === known.issuer.keys.keySet(now)
        ? known.caller
        : verifyUncached(token, digest, now);
    },
    status: () => entries.map(({ config: { issuer }, keys }) => ({ issuer, ...keys.status() })),
    preload: async () => {
      await Promise.all(entries.map(({ keys }) => keys.load()));
    },
  };
}
