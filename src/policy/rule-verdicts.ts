import type { Caller } from '../auth/caller.ts';
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

/**
 * Returns the verdict of every rule on a request, in the policy's order. For operators only,
 * because it shows what other callers may do. A denial never shows that to a caller.
 */
export function ruleVerdicts(policy: Policy, caller: Caller, request: UploadRequest): readonly RuleVerdict[] {
  const examined = new ExaminedRequest(request);
  const lists = new HeldLists();
  return policy.rules.map((rule) => ({
    rule: rule.name,
    reasons: reasonsAgainst(rule, caller, examined, lists),
  }));
}

function reasonsAgainst(
  rule: Rule,
  caller: Caller,
  examined: ExaminedRequest,
  lists: HeldLists,
): readonly Violation[] {
  if (!rule.actions.includes('upload'))
    return [{ pointer: '', code: 'no_matching_rule', detail: 'The rule is not for uploads.' }];
  const unmet = unmetConditions(rule, caller, lists);
  if (unmet.length > 0) return unmet.map((detail) => ({ pointer: '', code: 'no_matching_rule', detail }));
  const { target } = examined.request;
  if (target !== undefined && target !== rule.target.name) {
    const detail = `The rule is for the target ${rule.target.name}.`;
    return [{ pointer: '/target', code: 'no_matching_rule', detail }];
  }
  const resolved = resolvePrefix(rule.prefix, caller.claims);
  return resolved.ok ? ruleViolations(rule, resolved.prefix, examined) : [unusableClaim(resolved)];
}
