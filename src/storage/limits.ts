// The limits of OSS. Requests and policies are checked against them before anything is signed.

/** Bytes of UTF-8 in an object key. */
export const MAX_KEY_BYTES = 1023;

/** Bytes of all `x-oss-meta-*` headers of an object together, names and values. */
export const MAX_METADATA_BYTES = 8192;

/** Bytes of one PutObject or PostObject: 5 GB, which OSS counts in binary. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Seconds that a presigned URL can be valid: 7 days. */
export const MAX_EXPIRES_IN_SECONDS = 604_800;
