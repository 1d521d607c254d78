import type { Transfer } from './actions.ts';

/**
 * The body of `POST /v1/uploads` after its schema has checked it. It has exactly one of `key` and
 * `filename`.
 */
export type UploadRequest = {
  readonly key?: string | undefined;
  readonly filename?: string | undefined;
  readonly transfer: Transfer;
  readonly contentType: string;
  /** Bytes. */
  readonly contentLength?: number | undefined;
  /** Bytes; of a form only, instead of `contentLength`. */
  readonly maxContentLength?: number | undefined;
  /** Bytes; of a multipart upload only. */
  readonly partSize?: number | undefined;
  readonly contentMd5?: string | undefined;
  /** By lower-case name, without `x-oss-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** Seconds. */
  readonly expiresIn?: number | undefined;
  readonly overwrite: boolean;
  readonly target?: string | undefined;
  /**
   * Whether the client cannot be changed, and can send no key, no metadata and no other transfer.
   * Denials then say what to change in the policy.
   */
  readonly isFromFixedClient?: true | undefined;
};
