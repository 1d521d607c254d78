/** Who asks, as a verified token says. */
export type Caller = {
  /** The token's `iss`, exactly as configured. */
  readonly issuer: string;
  /** The token's `sub`; unique within the issuer only. */
  readonly subject: string;
  /** What the token allows, each once, in the order of the token. */
  readonly scopes: readonly string[];
  /** All verified claims. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/**
 * The caller that verified claims stand for.
 *
 * Scopes come from `scope` (RFC 8693 4.2: one string, separated by spaces) and from `scp` (Entra ID: a string; Okta: a
 * list). A value of any other type grants no scope.
 * @throws TypeError where `iss` or `sub` is not a string: such claims have not been verified.
 */
export function callerFromClaims(claims: Readonly<Record<string, unknown>>): Caller {
  const { iss, sub, scope, scp } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') throw new TypeError('The claims are not verified.');
  const scopes = new Set<string>();
  addScopes(scopes, scope);
  if (Array.isArray(scp)) {
    for (const entry of scp) if (typeof entry === 'string') scopes.add(entry);
  } else {
    addScopes(scopes, scp);
  }
  return { issuer: iss, subject: sub, scopes: [...scopes], claims };
}

function addScopes(scopes: Set<string>, value: unknown): void {
  if (typeof value !== 'string') return;
  for (const scope of value.split(' ')) if (scope !== '') scopes.add(scope);
}
