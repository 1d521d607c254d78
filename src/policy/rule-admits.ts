import type { Caller } from '../auth/caller.ts';
import { claimValue } from './claim-reference.ts';
import type { ClaimCondition, PolicyRule } from './policy.ts';

/**
 * Says whether a rule is for this caller: issuer, every scope, and for each claim one of the accepted values (the claim
 * may be a single value or a list). Values are compared with their type, and a pattern matches strings only; a claim that
 * is missing never matches.
 */
export function ruleAdmits({ who }: PolicyRule, caller: Caller): boolean {
  if (!isOfIssuer(who, caller)) return false;
  if (who.scope) for (const scope of who.scope) if (!caller.scopes.includes(scope)) return false;
  if (who.claims)
    for (const condition of who.claims) if (!meetsCondition(condition, caller.claims)) return false;
  return true;
}

/** Which conditions of a rule's `who` the caller does not meet, one sentence each; none exactly where {@link ruleAdmits}. */
export function unmetDemands({ who }: PolicyRule, caller: Caller): readonly string[] {
  const unmet: string[] = [];
  if (!isOfIssuer(who, caller)) unmet.push(`The rule is for tokens of ${who.issuer} only.`);
  for (const scope of who.scope ?? []) {
    if (!caller.scopes.includes(scope)) unmet.push(`The token lacks the scope ${JSON.stringify(scope)}.`);
  }
  for (const condition of who.claims ?? []) {
    if (!meetsCondition(condition, caller.claims)) unmet.push(unmetCondition(condition));
  }
  return unmet;
}

function isOfIssuer({ issuer }: PolicyRule['who'], caller: Caller): boolean {
  return issuer === undefined || issuer === caller.issuer;
}

function meetsCondition(condition: ClaimCondition, claims: Caller['claims']): boolean {
  const held = claimValue(claims, condition.claim);
  return Array.isArray(held)
    ? held.some((value) => isAccepted(condition, value))
    : isAccepted(condition, held);
}

function isAccepted({ values, prefixes }: ClaimCondition, value: unknown): boolean {
  const accepted: readonly unknown[] = values;
  if (accepted.includes(value)) return true;
  return typeof value === 'string' && prefixes.some((prefix) => value.startsWith(prefix));
}

function unmetCondition({ claim, values, prefixes }: ClaimCondition): string {
  const accepted = [...values, ...prefixes.map((prefix) => `${prefix}*`)];
  const listed = accepted.map((value) => JSON.stringify(value)).join(' or ');
  return `The claim ${JSON.stringify(claim.source)} must equal or contain ${listed}.`;
}
