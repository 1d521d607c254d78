import type { Action } from './actions.ts';
import type { UnusableClaim } from './prefix-template.ts';
import { unusableClaim, type Violation } from './rule-violations.ts';

/** The rules of a policy that were compared with a request. None of them is for its object. */
export type ComparedRules = {
  readonly action: Action;
  /** The target that the request names. */
  readonly target: string | undefined;
  /** Whether any rule is for this caller, whatever its target. */
  readonly hasRuleForCaller: boolean;
  /** Claims of the caller that cannot be part of a prefix, each once. */
  readonly unusableClaims: readonly UnusableClaim[];
};

/** Explains a denial for which no rule is near. Names nothing that belongs to another caller. */
export function noMatchingRule({
  action,
  target,
  hasRuleForCaller,
  unusableClaims,
}: ComparedRules): readonly Violation[] {
  const code = 'no_matching_rule';
  if (unusableClaims.length > 0) return unusableClaims.map(unusableClaim);
  if (target !== undefined && hasRuleForCaller) {
    const verb = action === 'download' ? 'download from' : 'upload to';
    const detail = `No rule allows this caller to ${verb} this target; leave it out or name another.`;
    return [{ pointer: '/target', code, detail }];
  }
  const detail =
    'No rule of the policy applies to this caller: the token lacks the scope or claims that a rule requires.';
  return [{ pointer: '', code, detail }];
}
