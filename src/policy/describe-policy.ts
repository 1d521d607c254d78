import type { Caller } from '../auth/caller.ts';
import type { Action, Transfer } from './actions.ts';
import { HeldLists } from './held-lists.ts';
import type { Policy, Rule } from './policy.ts';
import { resolvePrefix } from './prefix-template.ts';
import { ruleMatchesCaller } from './rule-matches-caller.ts';

/**
 * A rule as its caller may see it: the prefix has the caller's own claims; sizes are in bytes,
 * durations in seconds.
 */
export type RuleDescription = {
  readonly name: string;
  readonly actions: readonly Action[];
  readonly target: string;
  readonly bucket: string;
  readonly region: string;
  readonly prefix: string;
  readonly naming: Rule['naming'];
  readonly keepFilename: boolean;
  readonly transfers: readonly Transfer[];
  /** Bytes; present if multipart uploads are allowed. */
  readonly partSize?: number | undefined;
  readonly contentTypes: readonly string[];
  /** Bytes; null when unlimited. */
  readonly maxSize: number | null;
  /** Seconds. */
  readonly expiresIn: { readonly default: number; readonly max: number };
  readonly metadata: { readonly allowed: readonly string[]; readonly required: readonly string[] };
  readonly overwrite: boolean;
  readonly clientHeaders: readonly string[];
  readonly limits: { readonly requestsPerMinute: number | null; readonly bytesPerDay: number | null };
};

/** A rule for downloads as its caller may see it. */
export type DownloadDescription = Pick<
  RuleDescription,
  'name' | 'target' | 'bucket' | 'region' | 'prefix' | 'expiresIn'
> & {
  /** Whether `"disposition": "inline"` is allowed. */
  readonly inline: boolean;
  readonly limits: Pick<RuleDescription['limits'], 'requestsPerMinute'>;
};

/**
 * Lists the rules for downloads that apply to this caller, in the policy's order. The list is empty
 * if no rule does.
 */
export function describeDownloads(policy: Policy, caller: Caller): readonly DownloadDescription[] {
  return resolvedRules(policy, caller, 'download').map(({ rule, prefix }) => {
    const { name, target, bucket, region, expiresIn, limits } = describeRule(rule, prefix);
    const { requestsPerMinute } = limits;
    return {
      ...{ name, target, bucket, region, prefix, expiresIn },
      inline: rule.inline,
      limits: { requestsPerMinute },
    };
  });
}

/**
 * Lists the upload rules that apply to this caller, in the policy's order. The list is empty if no
 * rule does.
 */
export function describePolicy(policy: Policy, caller: Caller): readonly RuleDescription[] {
  return resolvedRules(policy, caller, 'upload').map(({ rule, prefix }) => describeRule(rule, prefix));
}

/** The rules with an action that apply to the caller, with their prefixes for it. */
function resolvedRules({ rules }: Policy, caller: Caller, action: Action): readonly ResolvedRule[] {
  const lists = new HeldLists();
  return rules.flatMap((rule) => {
    const resolved =
      rule.actions.includes(action) && ruleMatchesCaller(rule, caller, lists)
        ? resolvePrefix(rule.prefix, caller.claims)
        : undefined;
    return resolved?.ok ? [{ rule, prefix: resolved.prefix }] : [];
  });
}

type ResolvedRule = { readonly rule: Rule; readonly prefix: string };

function describeRule(rule: Rule, prefix: string): RuleDescription {
  return {
    name: rule.name,
    actions: rule.actions,
    target: rule.target.name,
    bucket: rule.target.bucket,
    region: rule.target.region,
    prefix,
    naming: rule.naming,
    keepFilename: rule.keepFilename,
    transfers: rule.transfers,
    ...(rule.transfers.includes('multipart') && { partSize: rule.partSize }),
    contentTypes: rule.contentTypes,
    maxSize: rule.maxSize,
    expiresIn: { default: rule.expiresIn.defaultSeconds, max: rule.expiresIn.maxSeconds },
    metadata: rule.metadata,
    overwrite: rule.overwrite,
    clientHeaders: rule.clientHeaders,
    limits: {
      requestsPerMinute: rule.limits.requestsPerMinute ?? null,
      bytesPerDay: rule.limits.bytesPerDay ?? null,
    },
  };
}
