import type { CorsRuleGenerator } from '../object-storage.ts';

const EXPOSE_HEADERS = ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'];

/** How long a browser may keep the response to a preflight. Chromium keeps it for two hours at most. */
const MAX_AGE_SECONDS = 3600;

/**
 * The CORS rule of each bucket, sorted by bucket. OSS demands that one rule allows every header of a preflight, so the headers
 * of all rules of a bucket are in one CORS rule. Source: OSS PutBucketCors.
 */
export const bucketCors: CorsRuleGenerator = (uploads, origins) =>
  [...Map.groupBy(uploads, ({ bucket }) => bucket)]
    .map(([bucket, ofBucket]) => ({
      bucket,
      region: ofBucket[0]?.region ?? '',
      allowedOrigins: [...new Set(origins)],
      allowedMethods: ['PUT'],
      allowedHeaders: [...new Set(ofBucket.flatMap(({ headers }) => headers))].sort(),
      exposeHeaders: EXPOSE_HEADERS,
      maxAgeSeconds: MAX_AGE_SECONDS,
    }))
    .sort((one, other) => (one.bucket < other.bucket ? -1 : 1));
