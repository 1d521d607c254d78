/** Algorithms whose keys can be published (RFC 7518 3.1, RFC 8037, RFC 9864). */
const ASYMMETRIC_ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
];

export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

/** RFC 7518 3.2: a key for HS256 has at least the size of the hash. */
const MIN_SECRET_BYTES = 32;

/** Where the keys of an issuer come from. */
export type IssuerKeys =
  | { readonly kind: 'jwksUrl'; readonly url: string }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly object[] } }
  | { readonly kind: 'discovery' }
  | { readonly kind: 'secret'; readonly secret: Uint8Array };

/** One party whose tokens are believed, and what is demanded of them. */
export type IssuerConfig = {
  /** Compared with the token's `iss`, character by character. */
  readonly issuer: string;
  /** The token's `aud` has to hold one of these. */
  readonly audience: string | readonly string[];
  readonly keys: IssuerKeys;
  /** The only values of `alg` that are accepted: asymmetric ones, or exactly `['HS256']` with a secret. */
  readonly algorithms: readonly string[];
};

/**
 * Makes sure that the issuers can be told apart and that none is open to algorithm confusion (RFC 8725 2.1, 3.1).
 * @throws TypeError naming the issuer and the fault, never a secret.
 */
export function assertIssuers(issuers: readonly IssuerConfig[]): void {
  for (const [index, issuer] of issuers.entries()) {
    const fault = issuerFault(issuer);
    if (fault) throw new TypeError(`The issuer "${issuer.issuer}" ${fault}.`);
    if (issuers.findIndex((other) => other.issuer === issuer.issuer) !== index) {
      throw new TypeError(`The issuer "${issuer.issuer}" is configured twice.`);
    }
  }
}

function issuerFault({ issuer, audience, keys, algorithms }: IssuerConfig): string | undefined {
  const audiences = [audience].flat();
  if (issuer === '') return 'has no name';
  if (audiences.length === 0 || audiences.includes('')) return 'has no audience';
  if (keys.kind === 'secret') {
    if (keys.secret.length < MIN_SECRET_BYTES) return `has a secret shorter than ${MIN_SECRET_BYTES} bytes`;
    return algorithms.length === 1 && algorithms[0] === 'HS256' ? undefined : 'has a secret: HS256 only';
  }
  if (algorithms.length === 0) return 'has no algorithms';
  if (!algorithms.every(isAsymmetric)) return 'has an algorithm that is not asymmetric';
  if (keys.kind === 'jwksUrl' && !isWebAddress(keys.url)) return 'has a jwksUrl that is not an address';
  if (keys.kind === 'discovery' && !isWebAddress(issuer)) return 'is not an address, as discovery needs';
  return undefined;
}

function isAsymmetric(algorithm: string): boolean {
  return (ASYMMETRIC_ALGORITHMS as readonly string[]).includes(algorithm);
}

function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}
