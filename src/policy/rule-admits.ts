import type { Caller } from '../auth/caller.ts';
import type { PolicyRule } from './policy.ts';

/**
 * Says whether a rule is for this caller: issuer, every scope, and for each claim one of the named values (the claim
 * may be a single value or a list). Values are compared with their type; a claim that is missing never matches.
 */
export function ruleAdmits({ who }: PolicyRule, caller: Caller): boolean {
  if (!isOfIssuer(who, caller)) return false;
  for (const scope of who.scope ?? []) if (!caller.scopes.includes(scope)) return false;
  for (const claim in who.claims) if (!holdsClaim(who, claim, caller)) return false;
  return true;
}

/** What of a rule's `who` the caller does not meet, one sentence each; none exactly where {@link ruleAdmits}. */
export function unmetDemands({ who }: PolicyRule, caller: Caller): readonly string[] {
  const unmet: string[] = [];
  if (!isOfIssuer(who, caller)) unmet.push(`The rule is for tokens of ${who.issuer} only.`);
  for (const scope of who.scope ?? []) {
    if (!caller.scopes.includes(scope)) unmet.push(`The token lacks the scope ${JSON.stringify(scope)}.`);
  }
  for (const claim in who.claims) {
    if (holdsClaim(who, claim, caller)) continue;
    const values = who.claims[claim]?.map((value) => JSON.stringify(value)).join(' or ');
    unmet.push(`The token's claim ${JSON.stringify(claim)} has to be or hold ${values}.`);
  }
  return unmet;
}

type Who = PolicyRule['who'];

function isOfIssuer({ issuer }: Who, caller: Caller): boolean {
  return issuer === undefined || issuer === caller.issuer;
}

function holdsClaim(who: Who, claim: string, { claims }: Caller): boolean {
  const accepted: readonly unknown[] = who.claims?.[claim] ?? [];
  const held = claims[claim];
  return Array.isArray(held) ? held.some((value) => accepted.includes(value)) : accepted.includes(held);
}
