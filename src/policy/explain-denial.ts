import type { Caller } from '../auth/caller.ts';
import { cutForLog } from '../text/log-text.ts';
import type { Policy } from './policy.ts';
import { type RuleQuestion, type RuleVerdict, ruleVerdicts } from './rule-verdicts.ts';

/** The reasons why one rule does not allow a request, one sentence each. */
export type RuleDenial = { readonly rule: string; readonly reasons: readonly string[] };

/** Bounds the log line and the time of a denial, however many rules the policy has. */
const MAX_EXAMINED_RULES = 100;
const MAX_RULES = 10;
const MAX_REASONS = 5;

/**
 * Explains a denial for the log: why the nearest 10 rules do not allow the request. It examines the
 * first 100 rules of the policy and the rule that the decision found nearest. The caller must
 * never see the result, because it names rules of other callers.
 */
export function explainDenial(
  policy: Policy,
  caller: Caller,
  question: RuleQuestion,
  nearestRule: string | undefined,
): { readonly denials: readonly RuleDenial[]; readonly otherRules: number } {
  const nearest = policy.rules.filter(({ name }) => name === nearestRule);
  const others = policy.rules.slice(0, MAX_EXAMINED_RULES).filter(({ name }) => name !== nearestRule);
  const verdicts = ruleVerdicts({ ...policy, rules: [...nearest, ...others] }, caller, question);
  const denials = verdicts
    .toSorted((one, other) => distance(one, nearestRule) - distance(other, nearestRule))
    .slice(0, MAX_RULES)
    .map(({ rule, reasons }) => ({
      rule,
      reasons: reasons.slice(0, MAX_REASONS).map(({ detail }) => cutForLog(detail)),
    }));
  return { denials, otherRules: policy.rules.length - denials.length };
}

/** A rule for other callers is further away than a rule for this caller with many violations. */
function distance({ rule, reasons }: RuleVerdict, nearestRule: string | undefined): number {
  if (rule === nearestRule) return 0;
  return reasons.length + (reasons.some(({ code }) => code === 'no_matching_rule') ? 1000 : 0);
}
