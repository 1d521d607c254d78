import type { Caller } from '../auth/caller.ts';
import { mediaTypeEssence } from './media-type.ts';
import { serverMadeName } from './object-key.ts';
import type { Policy, PolicyRule } from './policy.ts';
import { resolvePrefix, type UnusableClaim } from './prefix-template.ts';
import { ruleAdmits } from './rule-admits.ts';
import { ruleViolations, unusableClaim, type Violation } from './rule-violations.ts';
import type { UploadRequest } from './upload-request.ts';

export type Grant = {
  readonly rule: PolicyRule;
  readonly key: string;
  /** What request and rule allow, in seconds; the credentials may allow less. */
  readonly expiresInSeconds: number;
};

export type Decision =
  | { readonly allowed: true; readonly grant: Grant }
  | { readonly allowed: false; readonly violations: readonly Violation[]; readonly rule?: string };

/**
 * Decides whether the caller may upload this: the first rule that allows all of the request grants it, and what no
 * rule allows is refused. A refusal lists every violation of the rule that came nearest, and names nothing that belongs
 * to another caller.
 * @param newObjectId makes the id of a server-made key; called only when one is granted.
 */
export function decideUpload(
  policy: Policy,
  caller: Caller,
  request: UploadRequest,
  newObjectId: () => string,
): Decision {
  let admittingCount = 0;
  let candidateCount = 0;
  const unusableClaims: UnusableClaim[] = [];
  let nearest: { readonly rule: PolicyRule; readonly violations: readonly Violation[] } | undefined;

  for (const rule of policy.rules) {
    if (!ruleAdmits(rule, caller)) continue;
    admittingCount++;
    if (request.target !== undefined && request.target !== rule.target.name) continue;
    candidateCount++;
    const resolved = resolvePrefix(rule.prefix, caller.claims);
    if (!resolved.ok) {
      if (!unusableClaims.some(({ claim }) => claim === resolved.claim)) unusableClaims.push(resolved);
      continue;
    }
    const violations = ruleViolations(rule, resolved.prefix, request);
    if (violations.length === 0)
      return { allowed: true, grant: grantOf(rule, resolved.prefix, request, newObjectId) };
    if (!nearest || distance(violations) < distance(nearest.violations)) nearest = { rule, violations };
  }
  if (nearest) return { allowed: false, violations: nearest.violations, rule: nearest.rule.name };
  return {
    allowed: false,
    violations: noRuleViolations(request, admittingCount, candidateCount, unusableClaims),
  };
}

/** A rule for another place is further away than one for this place that finds many faults. */
function distance(violations: readonly Violation[]): number {
  const isElsewhere = violations.some((violation) => violation.code === 'key_outside_prefix');
  return violations.length + (isElsewhere ? 1000 : 0);
}

function noRuleViolations(
  request: UploadRequest,
  admittingCount: number,
  candidateCount: number,
  unusableClaims: readonly UnusableClaim[],
): readonly Violation[] {
  if (unusableClaims.length > 0) return unusableClaims.map(unusableClaim);
  if (request.target !== undefined && admittingCount > 0 && candidateCount === 0) {
    return [
      {
        pointer: '/target',
        code: 'no_matching_rule',
        detail: 'No rule allows this caller to upload to this target; leave it out or name another.',
      },
    ];
  }
  return [
    {
      pointer: '',
      code: 'no_matching_rule',
      detail:
        'No rule of the policy applies to this caller: the token lacks the scope or claims that a rule asks for.',
    },
  ];
}

function grantOf(rule: PolicyRule, prefix: string, request: UploadRequest, newObjectId: () => string): Grant {
  const key = request.key ?? serverMadeKey(prefix, request, newObjectId);
  return { rule, key, expiresInSeconds: request.expiresIn ?? rule.expiresIn.defaultSeconds };
}

function serverMadeKey(prefix: string, request: UploadRequest, newObjectId: () => string): string {
  const essence = mediaTypeEssence(request.contentType) ?? '';
  return prefix + serverMadeName(newObjectId(), request.filename ?? '', essence);
}
