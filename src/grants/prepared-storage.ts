import type { Policy, Rule, Target } from '../policy/policy.ts';
import type { PreparedBucket, PreparedUploads } from '../storage/object-storage.ts';

/** The prepared buckets and uploads that the grants of one policy use. */
export type PreparedStorage = {
  /** The uploads of each rule, with the headers of the rule. */
  readonly uploads: ReadonlyMap<Rule, PreparedUploads>;
};

/** Prepares the buckets of a policy. Called each time that a policy is loaded. */
export function prepareStorage(
  { rules }: Pick<Policy, 'rules'>,
  prepareBucket: (target: Target) => PreparedBucket,
): PreparedStorage {
  const buckets = new Map<Target, PreparedBucket>();
  const uploads = new Map<Rule, PreparedUploads>();
  for (const rule of rules) {
    const bucket = buckets.get(rule.target) ?? prepareBucket(rule.target);
    buckets.set(rule.target, bucket);
    uploads.set(rule, bucket.prepareUploads(rule.headers, rule.metadata.allowed));
  }
  return { uploads };
}

/** @throws TypeError for a rule of another policy: a programming error. */
export function uploadsOf({ uploads }: PreparedStorage, rule: Rule): PreparedUploads {
  const prepared = uploads.get(rule);
  if (!prepared) throw new TypeError(`the storage is not prepared for the rule ${rule.name}`);
  return prepared;
}
