import type { Caller } from '../auth/caller.ts';
import type { PolicyRule } from './policy.ts';

/**
 * Says whether a rule is for this caller: issuer, every scope, and for each claim one of the named values (the claim
 * may be a single value or a list). Values are compared with their type; a claim that is missing never matches.
 */
export function ruleAdmits({ who }: PolicyRule, caller: Caller): boolean {
  if (who.issuer !== undefined && who.issuer !== caller.issuer) return false;
  if (who.scope?.some((scope) => !caller.scopes.includes(scope))) return false;
  return Object.entries(who.claims ?? {}).every(([claim, accepted]) => {
    const held: readonly unknown[] = [caller.claims[claim]].flat();
    return accepted.some((value) => held.includes(value));
  });
}
