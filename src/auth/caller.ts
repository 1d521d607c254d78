/** The caller that a verified token identifies. */
export type Caller = {
  /** The token's `iss`. */
  readonly issuer: string;
  /** The entry of `issuers` that the token belongs to, if that is one for several issuers. */
  readonly issuerTemplate?: string;
  /** The token's `sub`; unique within the issuer only. */
  readonly subject: string;
  /** What the token allows, each once. */
  readonly scopes: readonly string[];
  /** Verified claims: all of the token, or those that the policy names. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/** What decisions read of a caller besides its issuer and subject. */
export type NamedByPolicy = {
  /** Names of top-level claims. */
  readonly claims: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
};

/**
 * The caller that verified claims stand for.
 *
 * Scopes come from `scope` and from `scp`, each of which is a string of scopes separated by spaces (RFC 8693 4.2, Entra ID) or
 * a list of scopes (Okta, Spring Authorization Server, Duende). A value of any other type grants no scope, and an entry of a list
 * is one scope, whatever it contains.
 * @param issuerTemplate the entry of `issuers`, if that is one for several issuers.
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

/** The same caller with nothing but what the policy names, so that remembering it takes no more memory than needed. */
export function reduceCaller(caller: Caller, { claims, scopes }: NamedByPolicy): Caller {
  const held = new Set(caller.scopes);
  const kept: [string, unknown][] = [];
  for (const name of claims) {
    if (Object.hasOwn(caller.claims, name)) kept.push([name, caller.claims[name]]);
  }
  return {
    ...caller,
    // The policy's own texts: a part of the token's `scope` would keep all of it in memory.
    scopes: [...scopes].filter((scope) => held.has(scope)),
    claims: Object.fromEntries(kept),
  };
}

function addScopes(scopes: Set<string>, value: unknown): void {
  const named: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  for (const scope of named) if (typeof scope === 'string' && scope !== '') scopes.add(scope);
}
