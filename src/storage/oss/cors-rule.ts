import { CLIENT_HEADER_FIELDS } from '../../policy/client-headers.ts';
import type { Policy, Rule } from '../../policy/policy.ts';
import { uploadHeaders } from './object-headers.ts';

/** The one CORS rule that a bucket needs so that pages can upload what the policy grants. */
export type BucketCors = {
  readonly bucket: string;
  readonly region: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  /** Lower case, sorted: every header that an answer can tell a page to set, and no other. */
  readonly allowedHeaders: readonly string[];
  /** What a page may read of the answer of OSS. */
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number;
};

const EXPOSE_HEADERS = ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'];

/** How long a browser may remember the answer to a preflight. Chromium keeps it for two hours at most. */
const MAX_AGE_SECONDS = 3600;

/**
 * What each bucket that a rule names needs, sorted by bucket. OSS demands that every header of a preflight be allowed by one
 * rule, so that all headers of all rules of a bucket stand in one. Source: OSS PutBucketCors.
 * @param origins exact origins of the pages, such as `https://app.example.com`.
 */
export function bucketCors({ rules }: Policy, origins: readonly string[]): readonly BucketCors[] {
  const byBucket = Map.groupBy(rules, ({ target }) => target.bucket);
  return [...byBucket]
    .map(([bucket, ofBucket]) => ({
      bucket,
      region: ofBucket[0]?.target.region ?? '',
      allowedOrigins: [...new Set(origins)],
      allowedMethods: ['PUT'],
      allowedHeaders: [...new Set(ofBucket.flatMap(possibleHeaders))].sort(),
      exposeHeaders: EXPOSE_HEADERS,
      maxAgeSeconds: MAX_AGE_SECONDS,
    }))
    .sort((one, other) => (one.bucket < other.bucket ? -1 : 1));
}

/** The headers of the answer to a request that uses all that the rule allows. */
function possibleHeaders(rule: Rule): readonly string[] {
  const fields = CLIENT_HEADER_FIELDS.filter((field) => rule.clientHeaders.includes(field));
  const headers = uploadHeaders(rule, {
    contentType: 'a/b',
    contentMd5: 'x',
    ...Object.fromEntries(fields.map((field) => [field, 'x'])),
    metadata: Object.fromEntries(rule.metadata.allowed.map((name) => [name, 'x'])),
    overwrite: false,
  });
  return Object.keys(headers).map((name) => name.toLowerCase());
}
