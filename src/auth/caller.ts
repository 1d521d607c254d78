/** The caller that a verified token identifies. */
export type Caller = {
  /** The token's `iss`. */
  readonly issuer: string;
  /** The `issuer` of the policy entry, if that entry is for several issuers. */
  readonly issuerTemplate?: string;
  /** The token's `sub`; unique within the issuer only. */
  readonly subject: string;
  /** The scopes of the token, without duplicates. */
  readonly scopes: readonly string[];
  /** Verified claims: all claims of the token, or those that the policy names. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/** The claims and scopes that a policy reads, besides issuer and subject. */
export type NamedByPolicy = {
  /** Names of top-level claims. */
  readonly claims: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
};

/**
 * Returns the caller that verified claims identify.
 *
 * Scopes come from `scope` and `scp`. Each may be a string of scopes separated by spaces (RFC 8693
 * 4.2, Entra ID) or a list of scopes (Okta, Spring Authorization Server, Duende). A value of any
 * other type grants no scope. An entry of a list is one scope, even if it contains spaces.
 * @param issuerTemplate the `issuer` of the policy entry, if that entry is for several issuers.
 * @throws TypeError if `iss` or `sub` is not a string: such claims have not been verified.
 */
export function callerFromClaims(claims: Readonly<Record<string, unknown>>, issuerTemplate?: string): Caller {
  const { iss, sub, scope, scp } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') throw new TypeError('The claims are not verified.');
  const scopes = new Set<string>();
  addScopes(scopes, scope);
  addScopes(scopes, scp);
  return {
    issuer: iss,
    ...(issuerTemplate !== undefined && { issuerTemplate }),
    subject: sub,
    scopes: [...scopes],
    claims,
  };
}

/** Keeps only the claims and scopes that the policy names, so that caching a caller is cheap. */
export function reduceCaller(caller: Caller, { claims, scopes }: NamedByPolicy): Caller {
  const held = new Set(caller.scopes);
  const kept: [string, unknown][] = [];
  for (const name of claims) {
    if (Object.hasOwn(caller.claims, name)) kept.push([name, caller.claims[name]]);
  }
  return {
    ...caller,
    // Take the policy's strings: a substring of the token's `scope` would keep all of it in memory.
    scopes: [...scopes].filter((scope) => held.has(scope)),
    claims: Object.fromEntries(kept),
  };
}

function addScopes(scopes: Set<string>, value: unknown): void {
  const named: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  for (const scope of named) if (typeof scope === 'string' && scope !== '') scopes.add(scope);
}
