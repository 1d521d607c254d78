/** Algorithms whose keys can be published (RFC 7518 3.1, RFC 8037, RFC 9864). */
export const ASYMMETRIC_ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

/** RFC 7518 3.2: a key for HS256 has at least the size of the hash. */
export const MIN_SECRET_BYTES = 32;

/** What stands for the tenant in the issuer that Microsoft Entra ID publishes for all of its tenants. */
export const TENANT_PLACEHOLDER = '{tenantid}';

/** The one issuer that may stand for several: each tenant's issuer has the tenant's ID in place of `{tenantid}`. */
export const MULTI_TENANT_ISSUER = `https://login.microsoftonline.com/${TENANT_PLACEHOLDER}/v2.0`;

/** Where the published keys of an issuer come from. */
export type IssuerKeys =
  | { readonly kind: 'jwksUrl'; readonly url: string }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly object[] } }
  | { readonly kind: 'discovery' };

/** One party whose tokens are believed, and what is demanded of them. */
export type IssuerConfig = {
  /** Compared with the token's `iss`, character by character; or {@link MULTI_TENANT_ISSUER}. */
  readonly issuer: string;
  /** With {@link MULTI_TENANT_ISSUER} only: the tenants that are trusted, compared with the token's `iss` and `tid`. */
  readonly tenants?: readonly string[] | undefined;
  /** The token's audience has to hold one of these. */
  readonly audience: string | readonly string[];
  /** The claim that holds the audience, a string or a list; `aud` by default. It is required, whatever its name. */
  readonly audienceClaim?: string | undefined;
  /** Keys for asymmetric algorithms, and for no other. */
  readonly keys?: IssuerKeys | undefined;
  /** The key for HS256, and for no other algorithm. */
  readonly secret?: Uint8Array | undefined;
  /** The only values of `alg` that are accepted: HS256 with a secret, asymmetric ones with published keys, never others. */
  readonly algorithms: readonly string[];
  /** For how long published keys verify when they cannot be refreshed. Default {@link DEFAULT_MAX_STALE_SECONDS}. */
  readonly maxStaleSeconds?: number | undefined;
  /** How far the clocks of issuer and service may be apart. Default {@link DEFAULT_CLOCK_TOLERANCE_SECONDS}. */
  readonly clockToleranceSeconds?: number | undefined;
};

export const DEFAULT_MAX_STALE_SECONDS = 86_400;
export const DEFAULT_CLOCK_TOLERANCE_SECONDS = 30;

/** Every value of `iss` that belongs to an entry, with the tenant that it stands for. */
export function issuersOf({
  issuer,
  tenants,
}: Pick<IssuerConfig, 'issuer' | 'tenants'>): readonly { readonly iss: string; readonly tenant?: string }[] {
  if (!tenants) return [{ iss: issuer }];
  return tenants.map((tenant) => ({ iss: issuer.replace(TENANT_PLACEHOLDER, tenant), tenant }));
}

/**
 * Makes sure that the issuers can be told apart and that none is open to algorithm confusion (RFC 8725 2.1, 3.1).
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
  if (/[{}]/.test(issuer) && issuer !== MULTI_TENANT_ISSUER) return 'has a brace, which no token can have';
  if ((issuer === MULTI_TENANT_ISSUER) !== (tenants !== undefined && tenants.length > 0))
    return 'needs tenants exactly if it stands for several';
  if (audiences.length === 0 || audiences.includes('')) return 'has no audience';
  if (algorithms.length === 0) return 'has no algorithms';
  if (!keys && !secret) return 'has neither keys nor a secret';
  if (secret && secret.length < MIN_SECRET_BYTES)
    return `has a secret shorter than ${MIN_SECRET_BYTES} bytes`;
  if (algorithms.includes('HS256') !== (secret !== undefined))
    return 'must have HS256 exactly if it has a secret';
  const published = algorithms.filter((algorithm) => algorithm !== 'HS256');
  if (!published.every(isAsymmetric)) return 'has an algorithm that is not asymmetric';
  if (published.length > 0 !== (keys !== undefined))
    return 'must have an asymmetric algorithm exactly if it has keys';
  if (keys?.kind === 'jwksUrl' && !isWebAddress(keys.url)) return 'has a jwksUrl that is not an address';
  if (keys?.kind === 'discovery' && !isWebAddress(issuer)) return 'is not an address, as discovery needs';
  return undefined;
}

function isAsymmetric(algorithm: string): boolean {
  return (ASYMMETRIC_ALGORITHMS as readonly string[]).includes(algorithm);
}

function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}
