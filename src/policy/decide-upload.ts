import type { Caller } from '../auth/caller.ts';
import type { Decision, Grant } from './decision.ts';
import { HeldLists } from './held-lists.ts';
import { noMatchingRule } from './no-matching-rule.ts';
import { serverMadeName } from './object-key.ts';
import type { Policy, Rule } from './policy.ts';
import { resolvePrefix, type UnusableClaim } from './prefix-template.ts';
import { ruleMatchesCaller } from './rule-matches-caller.ts';
import { ExaminedRequest, type Finding, ruleFindings } from './rule-violations.ts';
import type { UploadRequest } from './upload-request.ts';

/** A granted upload. */
export type GrantedObject = Grant & {
  /** Identifies the grant. It is the id in the key, if the server makes the key. */
  readonly grantId: string;
};

/**
 * Decides whether the caller may upload this. The first rule that allows the whole request grants
 * it; if no rule does, the request is denied. A denial lists every violation of the nearest rule,
 * and names nothing that belongs to another caller.
 * @param newGrantId makes the id of the grant of a rule; called once, when the upload is granted.
 */
export function decideUpload(
  policy: Policy,
  caller: Caller,
  request: UploadRequest,
  newGrantId: (rule: Rule) => string,
): Decision<GrantedObject> {
  let isAnyForCaller = false;
  const unusableClaims = new Map<string, UnusableClaim>();
  const examined = new ExaminedRequest(request, caller);
  const lists = new HeldLists();
  let nearest: { readonly rule: Rule; readonly findings: readonly Finding[] } | undefined;

  for (const rule of policy.rules) {
    if (!rule.actions.includes('upload') || !ruleMatchesCaller(rule, caller, lists)) continue;
    isAnyForCaller = true;
    if (request.target !== undefined && request.target !== rule.target.name) continue;
    const resolved = resolvePrefix(rule.prefix, caller.claims);
    if (!resolved.ok) {
      unusableClaims.set(resolved.claim, resolved);
      continue;
    }
    const findings = ruleFindings(rule, resolved.prefix, examined);
    if (findings.length === 0)
      return { allowed: true, grant: grantOf(rule, resolved.prefix, examined, newGrantId(rule)) };
    if (!nearest || distance(findings) < distance(nearest.findings)) nearest = { rule, findings };
  }
  if (nearest) {
    const violations = nearest.findings.flatMap(({ describe }) => describe());
    return { allowed: false, violations, rule: nearest.rule.name };
  }
  return {
    allowed: false,
    violations: noMatchingRule({
      action: 'upload',
      target: request.target,
      hasRuleForCaller: isAnyForCaller,
      unusableClaims: [...unusableClaims.values()],
    }),
  };
}

/** A rule for another prefix is further away than a rule for this prefix with many violations. */
function distance(findings: readonly Finding[]): number {
  let distance = 0;
  for (const { code, count } of findings) distance += code === 'key_outside_prefix' ? 1000 + count : count;
  return distance;
}

function grantOf(
  rule: Rule,
  prefix: string,
  { request, essence = '' }: ExaminedRequest,
  grantId: string,
): GrantedObject {
  const key = request.key ?? prefix + serverMadeName(grantId, request.filename ?? '', essence);
  return { rule, key, grantId };
}
