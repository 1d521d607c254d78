import type { CorsRuleGenerator } from '../object-storage.ts';

const EXPOSE_HEADERS = ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'];

/**
 * Seconds that a browser may cache a preflight response. Chromium caches it for two hours at most.
 */
const MAX_AGE_SECONDS = 3600;

/**
 * Returns the CORS rule of each bucket, sorted by bucket. In OSS, one rule must allow every header
 * of a preflight, so one CORS rule has the headers of all rules of a bucket. Source: OSS
 * PutBucketCors.
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
