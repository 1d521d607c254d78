import type { Caller } from '../auth/caller.ts';
import type { Decision } from './decision.ts';
import { offeredNameFault } from './download-name.ts';
import type { DownloadRequest } from './download-request.ts';
import { HeldLists } from './held-lists.ts';
import { noMatchingRule } from './no-matching-rule.ts';
import { isTooLongKey, objectKeyFaults } from './object-key.ts';
import type { Policy, Rule } from './policy.ts';
import { resolvePrefix, type UnusableClaim } from './prefix-template.ts';
import { ruleMatchesCaller } from './rule-matches-caller.ts';
import type { RuleQuestion } from './rule-verdicts.ts';
import type { Violation } from './rule-violations.ts';

/** One object of a request. */
export type RequestedKey = {
  readonly key: string;
  /** The place of the key in the request (RFC 6901): `/key` or `/keys/3`. */
  readonly pointer: string;
};

/** A rule that is for this caller and target, with everything that depends on no key. */
type Candidate = {
  readonly rule: Rule;
  /** The rule's prefix for this caller. */
  readonly prefix: string;
  /** Violations that do not depend on the key. */
  readonly violations: readonly Violation[];
};

/** The part of a decision that all keys of one request share. */
export type DownloadRules = {
  readonly request: DownloadRequest;
  /** In the order of the policy. */
  readonly candidates: readonly Candidate[];
  /** Why the request is denied if there are no candidates. */
  readonly noRule: readonly Violation[];
};

/**
 * Finds the rules by which the caller may download anything. Called once per request, however many
 * keys it has.
 */
export function findDownloadRules(policy: Policy, caller: Caller, request: DownloadRequest): DownloadRules {
  const { target } = request;
  const lists = new HeldLists();
  const candidates: Candidate[] = [];
  const unusableClaims = new Map<string, UnusableClaim>();
  let hasRuleForCaller = false;
  for (const rule of policy.rules) {
    if (!rule.actions.includes('download') || !ruleMatchesCaller(rule, caller, lists)) continue;
    hasRuleForCaller = true;
    if (target !== undefined && target !== rule.target.name) continue;
    const resolved = resolvePrefix(rule.prefix, caller.claims);
    if (resolved.ok) {
      candidates.push({ rule, prefix: resolved.prefix, violations: requestViolations(rule, request) });
    } else unusableClaims.set(resolved.claim, resolved);
  }
  const compared = { target, hasRuleForCaller, unusableClaims: [...unusableClaims.values()] };
  return { request, candidates, noRule: noMatchingRule({ action: 'download', ...compared }) };
}

/**
 * Decides whether the caller may download one object. The first rule that allows all of it grants
 * it. A denial lists every violation of the nearest rule, and names nothing that belongs to another
 * caller. It takes time in proportion to the number of candidates.
 */
export function decideDownload(
  { request, candidates, noRule }: DownloadRules,
  asked: RequestedKey,
): Decision {
  const { key } = asked;
  const ownViolations = objectViolations(request, asked);
  let nearest: Candidate | undefined;
  for (const candidate of candidates) {
    if (!key.startsWith(candidate.prefix)) continue;
    if (!nearest || candidate.violations.length < nearest.violations.length) nearest = candidate;
    if (nearest.violations.length === 0) break;
  }
  if (nearest) {
    const violations = [...ownViolations, ...nearest.violations];
    if (violations.length === 0) return { allowed: true, grant: { rule: nearest.rule, key } };
    return { allowed: false, violations, rule: nearest.rule.name };
  }
  const [first] = candidates;
  if (!first) return { allowed: false, violations: noRule };
  const outside = isTooLongKey(key) ? [] : prefixViolations(first.prefix, asked);
  const violations = [...ownViolations, ...outside, ...first.violations];
  return { allowed: false, violations, rule: first.rule.name };
}

/** The question whether a rule allows the download of one object. */
export function downloadQuestion(request: DownloadRequest, asked: RequestedKey): RuleQuestion {
  const ownViolations = objectViolations(request, asked);
  // Once for all rules, because the key may be as long as the body.
  const isTooLong = isTooLongKey(asked.key);
  return {
    action: 'download',
    target: request.target,
    violations: (rule, prefix) => [
      ...ownViolations,
      ...(isTooLong ? [] : prefixViolations(prefix, asked)),
      ...requestViolations(rule, request),
    ],
  };
}

/** Violations that do not depend on the rule. */
function objectViolations(
  { filename }: DownloadRequest,
  { key, pointer }: RequestedKey,
): readonly Violation[] {
  const code = 'key_not_allowed';
  const violations: Violation[] = objectKeyFaults(key).map((detail) => ({ pointer, code, detail }));
  const fault = filename === undefined ? undefined : offeredNameFault(filename, key);
  if (fault !== undefined) violations.push({ pointer: '/filename', code, detail: `The filename ${fault}.` });
  return violations;
}

function prefixViolations(prefix: string, { key, pointer }: RequestedKey): readonly Violation[] {
  if (key.startsWith(prefix)) return [];
  const detail = `The key must begin with ${JSON.stringify(prefix)}.`;
  return [{ pointer, code: 'key_outside_prefix', detail }];
}

function requestViolations(rule: Rule, { disposition, expiresIn }: DownloadRequest): readonly Violation[] {
  const violations: Violation[] = [];
  if (disposition === 'inline' && !rule.inline) {
    violations.push({
      pointer: '/disposition',
      code: 'header_not_allowed',
      detail: 'This rule does not let an object be shown in the browser; leave "disposition" out.',
    });
  }
  const { maxSeconds } = rule.expiresIn;
  if (expiresIn !== undefined && expiresIn > maxSeconds) {
    violations.push({
      pointer: '/expiresIn',
      code: 'expiry_too_long',
      detail: `The URL may be valid for at most ${maxSeconds} seconds.`,
    });
  }
  return violations;
}
