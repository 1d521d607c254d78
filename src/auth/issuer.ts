/** Algorithms whose keys can be published (RFC 7518 3.1, RFC 8037, RFC 9864). */
export const ASYMMETRIC_ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

/** RFC 7518 3.2: a key for HS256 has at least the size of the hash. */
export const MIN_SECRET_BYTES = 32;

/**
 * The placeholder for the tenant in the issuer that Microsoft Entra ID publishes for all tenants.
 */
export const TENANT_PLACEHOLDER = '{tenantid}';

/** The only issuer with a placeholder: the `iss` of a tenant has the tenant's ID in its place. */
export const MULTI_TENANT_ISSUER = `https://login.microsoftonline.com/${TENANT_PLACEHOLDER}/v2.0`;

/** Where the published keys of an issuer come from. */
export type IssuerKeys =
  | { readonly kind: 'jwksUrl'; readonly url: string }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly object[] } }
  | { readonly kind: 'discovery' };

/** One trusted issuer, and the requirements for its tokens. */
export type IssuerConfig = {
  /** Compared with the token's `iss`, character by character; or {@link MULTI_TENANT_ISSUER}. */
  readonly issuer: string;
  /** With {@link MULTI_TENANT_ISSUER} only: the trusted tenants, compared with `iss` and `tid`. */
  readonly tenants?: readonly string[] | undefined;
  /** The token's audience must contain one of these. */
  readonly audience: string | readonly string[];
  /**
   * The claim with the audience, a string or a list, which every token must have. Default `aud`.
   */
  readonly audienceClaim?: string | undefined;
  /** Keys for asymmetric algorithms only. */
  readonly keys?: IssuerKeys | undefined;
  /** The key for HS256 only. */
  readonly secret?: Uint8Array | undefined;
  /** The accepted values of `alg`: HS256 requires a secret, every other one published keys. */
  readonly algorithms: readonly string[];
  /**
   * Seconds that published keys stay valid while fetching them fails.
   * Default {@link DEFAULT_MAX_STALE_SECONDS}.
   */
  readonly maxStaleSeconds?: number | undefined;
  /** Seconds by which the clocks may differ. Default {@link DEFAULT_CLOCK_TOLERANCE_SECONDS}. */
  readonly clockToleranceSeconds?: number | undefined;
};

export const DEFAULT_MAX_STALE_SECONDS = 86_400;
export const DEFAULT_CLOCK_TOLERANCE_SECONDS = 30;

/**
 * Returns every value of `iss` that an entry trusts, with its tenant if the entry names tenants.
 */
export function issuersOf({
  issuer,
  tenants,
}: Pick<IssuerConfig, 'issuer' | 'tenants'>): readonly { readonly iss: string; readonly tenant?: string }[] {
  if (!tenants) return [{ iss: issuer }];
  return tenants.map((tenant) => ({ iss: issuer.replace(TENANT_PLACEHOLDER, tenant), tenant }));
}

/**
 * Rejects issuers that are configured twice or open to algorithm confusion (RFC 8725 2.1, 3.1).
 * @throws TypeError naming the issuer and the fault, never a secret.
 */
export function assertIssuers(issuers: readonly IssuerConfig[]): void {
  const seen = new Set<string>();
  for (const config of issuers) {
    const fault = issuerFault(config);
    if (fault) throw new TypeError(`The issuer "${config.issuer}" ${fault}.`);
    for (const { iss } of issuersOf(config)) {
      if (seen.has(iss)) throw new TypeError(`The issuer "${iss}" is configured twice.`);
      seen.add(iss);
    }
  }
}

function issuerFault(config: IssuerConfig): string | undefined {
  const { issuer, tenants, audience, keys, secret, algorithms } = config;
  const audiences = [audience].flat();
  if (issuer === '') return 'has no name';
  if (/[{}]/.test(issuer) && issuer !== MULTI_TENANT_ISSUER)
    return 'contains a brace, which no issuer of a token contains';
  if ((issuer === MULTI_TENANT_ISSUER) !== (tenants !== undefined && tenants.length > 0))
    return 'must have tenants if, and only if, it is the issuer of several tenants';
  if (audiences.length === 0 || audiences.includes('')) return 'has no audience';
  if (algorithms.length === 0) return 'has no algorithms';
  if (!keys && !secret) return 'has neither keys nor a secret';
  if (secret && secret.length < MIN_SECRET_BYTES)
    return `has a secret shorter than ${MIN_SECRET_BYTES} bytes`;
  if (algorithms.includes('HS256') !== (secret !== undefined))
    return 'must have HS256 if, and only if, it has a secret';
  const published = algorithms.filter((algorithm) => algorithm !== 'HS256');
  if (!published.every(isAsymmetric)) return 'has an algorithm that is not asymmetric';
  if (published.length > 0 !== (keys !== undefined))
    return 'must have an asymmetric algorithm if, and only if, it has keys';
  if (keys?.kind === 'jwksUrl' && !isWebAddress(keys.url)) return 'has a jwksUrl that is not a web address';
  if (keys?.kind === 'discovery' && !isWebAddress(issuer))
    return 'is not a web address, which discovery requires';
  return undefined;
}

function isAsymmetric(algorithm: string): boolean {
  return (ASYMMETRIC_ALGORITHMS as readonly string[]).includes(algorithm);
}

function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}
