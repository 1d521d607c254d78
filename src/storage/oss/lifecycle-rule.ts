import type { BucketLifecycle, LifecycleRuleGenerator, PrefixAccess } from '../object-storage.ts';

const SECONDS_PER_DAY = 86_400;

/** OSS runs its rules once a day. No upload that can still be continued is to lose its parts. */
const EXTRA_DAYS = 1;

/**
 * Returns the lifecycle rules of each bucket, sorted by bucket and prefix. By default, OSS rejects
 * rules with the same action whose prefixes overlap, so the rule of the shorter prefix stands for
 * those below it, with the longest of their times. Source: OSS PutBucketLifecycle.
 */
export const bucketLifecycles: LifecycleRuleGenerator = (access) =>
  [...Map.groupBy(access, ({ bucket }) => bucket)]
    .map(([bucket, ofBucket]) => ({
      bucket,
      region: ofBucket[0]?.region ?? '',
      rules: rulesOf(ofBucket),
    }))
    .filter(({ rules }) => rules.length > 0)
    .sort((one, other) => (one.bucket < other.bucket ? -1 : 1));

function rulesOf(access: readonly PrefixAccess[]): BucketLifecycle['rules'] {
  const uploads = access.flatMap(({ literalPrefix, multipart }) =>
    multipart ? [{ prefix: literalPrefix, days: daysOf(multipart.expiresInSeconds) }] : [],
  );
  const prefixes = new Set(uploads.map(({ prefix }) => prefix));
  const outermost = [...prefixes].filter(
    (prefix) => ![...prefixes].some((other) => other !== prefix && prefix.startsWith(other)),
  );
  return outermost.sort().map((prefix) => ({
    prefix,
    days: Math.max(...uploads.filter((one) => one.prefix.startsWith(prefix)).map(({ days }) => days)),
  }));
}

function daysOf(expiresInSeconds: number): number {
  return Math.ceil(expiresInSeconds / SECONDS_PER_DAY) + EXTRA_DAYS;
}
