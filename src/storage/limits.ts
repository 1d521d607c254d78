// The limits of OSS. Requests and policies are checked against them before anything is signed.

/** Bytes of UTF-8 in an object key. */
export const MAX_KEY_BYTES = 1023;

/** Bytes of all `x-oss-meta-*` headers of an object together, names and values. */
export const MAX_METADATA_BYTES = 8192;

/** Bytes of one PutObject or PostObject: 5 GB, which OSS counts in binary. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Parts of a multipart upload; their numbers are 1 to this. */
export const MAX_PARTS = 10_000;

/** Bytes of a part that is not the last one: 100 KiB. */
export const MIN_PART_BYTES = 100 * 1024;

/** Bytes of a part: 5 GB, which OSS counts in binary. */
export const MAX_PART_BYTES = 5 * 1024 ** 3;

/** Bytes of an object of the most and the largest parts: 48.8 TiB. */
export const MAX_MULTIPART_BYTES = MAX_PARTS * MAX_PART_BYTES;

/** Seconds that a presigned URL can be valid: 7 days. */
export const MAX_EXPIRES_IN_SECONDS = 604_800;
