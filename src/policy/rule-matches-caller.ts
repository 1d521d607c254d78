import type { Caller } from '../auth/caller.ts';
import { claimValue } from './claim-reference.ts';
import { HeldLists } from './held-lists.ts';
import type { ClaimCondition, Rule } from './policy.ts';

/**
 * Reports whether a rule applies to this caller. The token must have the issuer, every scope, and
 * for each claim one of the accepted values. The claim may be a single value or a list. Values are
 * compared with their type, and a pattern matches strings only. A missing claim never matches.
 * @param lists shared by all rules that are compared with this caller.
 */
export function ruleMatchesCaller(
  { who }: Rule,
  caller: Caller,
  lists: HeldLists = new HeldLists(),
): boolean {
  if (!isOfIssuer(who, caller)) return false;
  if (who.scope) for (const scope of who.scope) if (!lists.has(caller.scopes, scope)) return false;
  if (who.claims)
    for (const condition of who.claims) if (!meetsCondition(condition, caller.claims, lists)) return false;
  return true;
}

/**
 * Lists the conditions of a rule's `who` that the caller does not meet, one sentence each. The list
 * is empty if {@link ruleMatchesCaller}.
 */
export function unmetConditions(
  { who }: Rule,
  caller: Caller,
  lists: HeldLists = new HeldLists(),
): readonly string[] {
  const unmet: string[] = [];
  if (!isOfIssuer(who, caller)) unmet.push(`The rule is for tokens of ${who.issuer} only.`);
  for (const scope of who.scope ?? []) {
    if (!lists.has(caller.scopes, scope)) unmet.push(`The token lacks the scope ${JSON.stringify(scope)}.`);
  }
  for (const condition of who.claims ?? []) {
    if (!meetsCondition(condition, caller.claims, lists)) unmet.push(describeCondition(condition));
  }
  return unmet;
}

function isOfIssuer({ issuer }: Rule['who'], caller: Caller): boolean {
  return issuer === undefined || issuer === caller.issuer || issuer === caller.issuerTemplate;
}

function meetsCondition(
  { claim, values, prefixes }: ClaimCondition,
  claims: Caller['claims'],
  lists: HeldLists,
): boolean {
  const held = claimValue(claims, claim);
  if (!Array.isArray(held)) return isAccepted(values, prefixes, held);
  return (
    values.some((value) => lists.has(held, value)) || prefixes.some((prefix) => lists.hasPrefix(held, prefix))
  );
}

function isAccepted(values: readonly unknown[], prefixes: readonly string[], value: unknown): boolean {
  return (
    values.includes(value) ||
    (typeof value === 'string' && prefixes.some((prefix) => value.startsWith(prefix)))
  );
}

function describeCondition({ claim, values, prefixes }: ClaimCondition): string {
  const accepted = [...values, ...prefixes.map((prefix) => `${prefix}*`)];
  const listed = accepted.map((value) => JSON.stringify(value)).join(' or ');
  return `The claim ${JSON.stringify(claim.source)} must equal or contain ${listed}.`;
}
