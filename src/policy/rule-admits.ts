import type { Caller } from '../auth/caller.ts';
import type { PolicyRule } from './policy.ts';

/**
 * Says whether a rule is for this caller: issuer, every scope, and for each claim one of the named values (the claim
 * may be a single value or a list). Values are compared with their type; a claim that is missing never matches.
 */
export function ruleAdmits(rule: PolicyRule, caller: Caller): boolean {
  return unmetDemands(rule, caller).next().done === true;
}

/** What of a rule's `who` the caller does not meet, one sentence each. */
export function* unmetDemands({ who }: PolicyRule, caller: Caller): Generator<string, void> {
  if (who.issuer !== undefined && who.issuer !== caller.issuer)
    yield `The rule is for tokens of ${who.issuer} only.`;
  for (const scope of who.scope ?? []) {
    if (!caller.scopes.includes(scope)) yield `The token lacks the scope ${JSON.stringify(scope)}.`;
  }
  for (const [claim, accepted] of Object.entries(who.claims ?? {})) {
    const held: readonly unknown[] = [caller.claims[claim]].flat();
    if (!accepted.some((value) => held.includes(value))) {
      const values = accepted.map((value) => JSON.stringify(value)).join(' or ');
      yield `The token's claim ${JSON.stringify(claim)} has to be or hold ${values}.`;
    }
  }
}
