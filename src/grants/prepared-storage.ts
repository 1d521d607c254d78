import { GRANT_ID_METADATA } from '../policy/grant-mark.ts';
import type { Policy, Rule, Target } from '../policy/policy.ts';
import type {
  BucketClient,
  ObjectAttributes,
  PreparedBucket,
  PreparedUploads,
} from '../storage/object-storage.ts';
import { type AttributeDigests, createDigests } from './attribute-digests.ts';

/** The prepared buckets and uploads that the grants of one policy use. */
export type PreparedStorage = {
  /** The bucket of each target. */
  readonly buckets: ReadonlyMap<Target, PreparedBucket>;
  /** The uploads of each rule, with the headers of the rule. */
  readonly uploads: ReadonlyMap<Rule, PreparedUploads>;
  /** Digests the attributes of the objects of each rule. */
  readonly digests: ReadonlyMap<Rule, (attributes: ObjectAttributes) => AttributeDigests>;
  /** The client of each bucket; empty where nothing calls the storage, as in most commands. */
  readonly clients: ReadonlyMap<Target, BucketClient>;
};

/** An upload whose object has the attributes that its rule sets, and no other. */
const UPLOAD_WITHOUT_HEADERS = { key: '', contentType: '', metadata: {}, overwrite: false };

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
  const digests = new Map<Rule, (attributes: ObjectAttributes) => AttributeDigests>();
  for (const rule of rules) {
    const bucket = buckets.get(rule.target) ?? prepareBucket(rule.target);
    buckets.set(rule.target, bucket);
    const prepared = bucket.prepareUploads(rule.headers, [...rule.metadata.allowed, GRANT_ID_METADATA]);
    uploads.set(rule, prepared);
    digests.set(rule, createDigests(prepared.attributes(UPLOAD_WITHOUT_HEADERS)));
  }
  const clients = new Map<Target, BucketClient>();
  if (createClient) for (const target of buckets.keys()) clients.set(target, createClient(target));
  return { buckets, uploads, digests, clients };
}

/** @throws TypeError for a rule of another policy: a programming error. */
export function uploadsOf({ uploads }: PreparedStorage, rule: Rule): PreparedUploads {
  const prepared = uploads.get(rule);
  if (!prepared) throw new TypeError(`the storage is not prepared for the rule ${rule.name}`);
  return prepared;
}

/**
 * Digests the attributes that an upload of a rule gives its object.
 * @throws TypeError for a rule of another policy: a programming error.
 */
export function digestsOf(
  storage: PreparedStorage,
  rule: Rule,
  upload: Parameters<PreparedUploads['attributes']>[0],
): AttributeDigests {
  const digest = storage.digests.get(rule);
  if (!digest) throw new TypeError(`the storage is not prepared for the rule ${rule.name}`);
  return digest(uploadsOf(storage, rule).attributes(upload));
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
