import type { Caller } from '../auth/caller.ts';
import type { Transfer } from './actions.ts';
import { HeldLists } from './held-lists.ts';
import type { Policy, Rule } from './policy.ts';
import { canBegin, resolvePrefix } from './prefix-template.ts';
import { ruleMatchesCaller } from './rule-matches-caller.ts';

/** The part of a granted upload that the policy must still cover. */
export type CoveredUpload = {
  readonly transfer: Transfer;
  /** The names of its rule and target, when it was granted. */
  readonly rule: string;
  readonly target: string;
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  /** The caller that it was granted to. */
  readonly caller: { readonly issuer: string; readonly subject: string };
};

export type Coverage = {
  /** The rule of the upload. */
  readonly rule: Rule;
  /** The rule that lets the caller use the upload id: that of the upload, or one with `confirm`. */
  readonly by: Rule;
};

/**
 * Decides whether a caller may use the id of a granted upload, by the policy of now.
 *
 * The rule of the upload must still allow uploads of this transfer with receipts, and name the same
 * target and bucket. The caller that the upload was granted to must still match that rule, and its
 * present claims must resolve to a prefix of the key. Any other caller needs a rule with `confirm`
 * for the same bucket whose prefix begins the key. The upload was granted before, so the types,
 * sizes and limits of the rule do not matter.
 * @param options.isConfirmEnough false for a call that only the caller of the upload may make.
 * @returns undefined if the caller may not use it. The caller must not learn why.
 */
export function decideCompletion(
  { rules }: Pick<Policy, 'rules'>,
  caller: Caller,
  upload: CoveredUpload,
  { isConfirmEnough }: { readonly isConfirmEnough: boolean },
): Coverage | undefined {
  const rule = rules.find(({ name }) => name === upload.rule);
  if (!rule || !isStillGrantable(rule, upload)) return undefined;
  const lists = new HeldLists();
  if (
    caller.issuer === upload.caller.issuer &&
    caller.subject === upload.caller.subject &&
    reaches(rule, caller, lists, upload)
  ) {
    return { rule, by: rule };
  }
  if (!isConfirmEnough) return undefined;
  const confirming = rules.find(
    (other) =>
      other.actions.includes('confirm') &&
      other.target.bucket === upload.bucket &&
      other.target.region === upload.region &&
      reaches(other, caller, lists, upload),
  );
  return confirming && { rule, by: confirming };
}

/**
 * Returns the rule of an upload that the storage reports, by the policy of now; undefined if the
 * policy no longer covers the upload, or its rule has no callback. Only PUTs and forms have one.
 * The claims of the uploader are not known here, so the key must only begin as the prefix does.
 */
export function findCallbackRule({ rules }: Pick<Policy, 'rules'>, upload: CoveredUpload): Rule | undefined {
  const rule = rules.find(({ name }) => name === upload.rule);
  const isCovered = rule?.callback && upload.transfer !== 'multipart' && isStillGrantable(rule, upload);
  return isCovered ? rule : undefined;
}

/** Whether the rule of the upload would still grant uploads of this transfer to its place. */
function isStillGrantable({ actions, transfers, receipts, target, prefix }: Rule, upload: CoveredUpload) {
  return (
    actions.includes('upload') &&
    transfers.includes(upload.transfer) &&
    receipts &&
    target.name === upload.target &&
    target.bucket === upload.bucket &&
    target.region === upload.region &&
    canBegin(prefix, upload.key)
  );
}

/** Whether the rule applies to the caller, and its prefix for this caller begins the key. */
function reaches(rule: Rule, caller: Caller, lists: HeldLists, { key }: CoveredUpload): boolean {
  if (!ruleMatchesCaller(rule, caller, lists)) return false;
  const resolved = resolvePrefix(rule.prefix, caller.claims);
  return resolved.ok && key.startsWith(resolved.prefix);
}
