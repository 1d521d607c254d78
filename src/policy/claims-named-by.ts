import type { Policy } from './policy.ts';

/**
 * Lists the top-level claims that decisions by this policy read. They come from `who.claims` and
 * from `{claim}` in prefixes; of a JSON pointer, the list has the first name. The list has scopes,
 * `iss` and `sub` only if a rule names them as claims.
 */
export function claimsNamedBy({ rules }: Pick<Policy, 'rules'>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { who, prefix } of rules) {
    for (const { claim } of who.claims ?? []) names.add(claim.path[0]);
    for (const part of prefix.parts) if ('claim' in part) names.add(part.claim.path[0]);
  }
  return names;
}

/** Lists the scopes that rules of this policy require. */
export function scopesNamedBy({ rules }: Pick<Policy, 'rules'>): ReadonlySet<string> {
  return new Set(rules.flatMap(({ who }) => who.scope ?? []));
}
