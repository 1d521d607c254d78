import type { Policy } from './policy.ts';

/**
 * The names of the top-level claims that decisions by this policy read: those of `who.claims` and of `{claim}` in prefixes, for a
 * JSON pointer its first name. Scopes and the registered claims of the caller (`iss`, `sub`) are not part of it, unless a rule
 * names them as claims.
 */
export function claimsNamedBy({ rules }: Pick<Policy, 'rules'>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { who, prefix } of rules) {
    for (const { claim } of who.claims ?? []) names.add(claim.path[0]);
    for (const part of prefix.parts) if ('claim' in part) names.add(part.claim.path[0]);
  }
  return names;
}

/** The scopes that rules of this policy ask for. */
export function scopesNamedBy({ rules }: Pick<Policy, 'rules'>): ReadonlySet<string> {
  return new Set(rules.flatMap(({ who }) => who.scope ?? []));
}
