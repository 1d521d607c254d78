import type { Caller } from '../auth/caller.ts';
import type { Action } from './actions.ts';
import { HeldLists } from './held-lists.ts';
import type { Policy, Rule } from './policy.ts';
import { resolvePrefix } from './prefix-template.ts';
import { unmetConditions } from './rule-matches-caller.ts';
import { ExaminedRequest, ruleViolations, unusableClaim, type Violation } from './rule-violations.ts';
import type { UploadRequest } from './upload-request.ts';

/**
 * The reasons why one rule does not allow a request. Without any, the rule allows the whole
 * request.
 */
export type RuleVerdict = { readonly rule: string; readonly reasons: readonly Violation[] };

/** A request for one object, as every rule can be asked about it. */
export type RuleQuestion = {
  readonly action: Action;
  /** The target that the request names. */
  readonly target: string | undefined;
  /** Lists what a rule that applies to the caller does not allow. */
  readonly violations: (rule: Rule, prefix: string) => readonly Violation[];
};

/** The question whether a rule allows an upload. */
export function uploadQuestion(request: UploadRequest, caller: Caller): RuleQuestion {
  const examined = new ExaminedRequest(request, caller);
  return {
    action: 'upload',
    target: request.target,
    violations: (rule, prefix) => ruleViolations(rule, prefix, examined),
  };
}

/**
 * Returns the verdict of every rule on a request, in the policy's order. For operators only,
 * because it shows what other callers may do. A denial never shows that to a caller.
 */
export function ruleVerdicts(policy: Policy, caller: Caller, question: RuleQuestion): readonly RuleVerdict[] {
  const lists = new HeldLists();
  return policy.rules.map((rule) => ({
    rule: rule.name,
    reasons: reasonsAgainst(rule, caller, question, lists),
  }));
}

function reasonsAgainst(
  rule: Rule,
  caller: Caller,
  { action, target, violations }: RuleQuestion,
  lists: HeldLists,
): readonly Violation[] {
  if (!rule.actions.includes(action))
    return [{ pointer: '', code: 'no_matching_rule', detail: `The rule is not for ${action}s.` }];
  const unmet = unmetConditions(rule, caller, lists);
  if (unmet.length > 0) return unmet.map((detail) => ({ pointer: '', code: 'no_matching_rule', detail }));
  if (target !== undefined && target !== rule.target.name) {
    const detail = `The rule is for the target ${rule.target.name}.`;
    return [{ pointer: '/target', code: 'no_matching_rule', detail }];
  }
  const resolved = resolvePrefix(rule.prefix, caller.claims);
  return resolved.ok ? violations(rule, resolved.prefix) : [unusableClaim(resolved)];
}
