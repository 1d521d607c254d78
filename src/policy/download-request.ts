/**
 * The body of `POST /v1/downloads` after its schema has checked it. It has exactly one of `key` and
 * `keys`.
 */
export type DownloadRequest = {
  readonly key?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  /** Seconds. */
  readonly expiresIn?: number | undefined;
  readonly disposition: 'attachment' | 'inline';
  /** With `key` only. */
  readonly filename?: string | undefined;
  readonly target?: string | undefined;
};
