import type { CorsRuleGenerator } from '../object-storage.ts';

/**
 * The service completes multipart uploads from the list of OSS, so no page needs the ETag of a
 * part. It is exposed because libraries for uploads in parts insist on it, and pages compare it
 * with the MD5 of what they sent.
 */
const EXPOSE_HEADERS = ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'];

/** A page that reads an object also needs its name, and which part of it was sent. */
const EXPOSE_HEADERS_OF_DOWNLOADS = ['Content-Disposition', 'Content-Range'];

/** Fetch lets a page send a simple `Range` without a preflight, but not every form of it. */
const HEADERS_OF_DOWNLOADS = ['if-match', 'range'];

/**
 * Seconds that a browser may cache a preflight response. Chromium caches it for two hours at most.
 */
const MAX_AGE_SECONDS = 3600;

/**
 * Returns the CORS rule of each bucket, sorted by bucket. In OSS, one rule must allow every header
 * of a preflight, so one CORS rule has the methods and headers of all rules of a bucket. Source:
 * OSS PutBucketCors.
 */
export const bucketCors: CorsRuleGenerator = (access, origins) =>
  [...Map.groupBy(access, ({ bucket }) => bucket)]
    .map(([bucket, ofBucket]) => {
      const methods = new Set(ofBucket.flatMap((one) => one.methods));
      const headers = new Set(ofBucket.flatMap((one) => one.headers));
      const downloads = methods.has('GET');
      return {
        bucket,
        region: ofBucket[0]?.region ?? '',
        allowedOrigins: [...new Set(origins)],
        allowedMethods: [...methods].sort(),
        allowedHeaders: [...headers, ...(downloads ? HEADERS_OF_DOWNLOADS : [])].sort(),
        exposeHeaders: [...EXPOSE_HEADERS, ...(downloads ? EXPOSE_HEADERS_OF_DOWNLOADS : [])],
        maxAgeSeconds: MAX_AGE_SECONDS,
      };
    })
    .sort((one, other) => (one.bucket < other.bucket ? -1 : 1));
