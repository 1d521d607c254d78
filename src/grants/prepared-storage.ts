import type { Policy, Rule, Target } from '../policy/policy.ts';
import type { BucketClient, PreparedBucket, PreparedUploads } from '../storage/object-storage.ts';

/** The prepared buckets and uploads that the grants of one policy use. */
export type PreparedStorage = {
  /** The bucket of each target. */
  readonly buckets: ReadonlyMap<Target, PreparedBucket>;
  /** The uploads of each rule, with the headers of the rule. */
  readonly uploads: ReadonlyMap<Rule, PreparedUploads>;
  /** The client of each bucket; empty where nothing calls the storage, as in most commands. */
  readonly clients: ReadonlyMap<Target, BucketClient>;
};

/**
 * Prepares the buckets of a policy. Called each time that a policy is loaded.
 * @param createClient only for a process that calls the storage.
 */
export function prepareStorage(
  { rules }: Pick<Policy, 'rules'>,
  prepareBucket: (target: Target) => PreparedBucket,
  createClient?: (target: Target) => BucketClient,
): PreparedStorage {
  const buckets = new Map<Target, PreparedBucket>();
  const uploads = new Map<Rule, PreparedUploads>();
  for (const rule of rules) {
    const bucket = buckets.get(rule.target) ?? prepareBucket(rule.target);
    buckets.set(rule.target, bucket);
    uploads.set(rule, bucket.prepareUploads(rule.headers, rule.metadata.allowed));
  }
  const clients = new Map<Target, BucketClient>();
  if (createClient) for (const target of buckets.keys()) clients.set(target, createClient(target));
  return { buckets, uploads, clients };
}

/** @throws TypeError for a rule of another policy: a programming error. */
export function uploadsOf({ uploads }: PreparedStorage, rule: Rule): PreparedUploads {
  const prepared = uploads.get(rule);
  if (!prepared) throw new TypeError(`the storage is not prepared for the rule ${rule.name}`);
  return prepared;
}

/** @throws TypeError for a target of another policy: a programming error. */
export function bucketOf({ buckets }: PreparedStorage, target: Target): PreparedBucket {
  const bucket = buckets.get(target);
  if (!bucket) throw new TypeError(`the storage has no bucket for the target ${target.name}`);
  return bucket;
}

/** @throws TypeError for a target of another policy, or if no clients are prepared. */
export function clientOf({ clients }: PreparedStorage, target: Target): BucketClient {
  const client = clients.get(target);
  if (!client) throw new TypeError(`the storage has no client for the target ${target.name}`);
  return client;
}
