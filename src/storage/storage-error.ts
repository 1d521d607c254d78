/**
 * Why a call to the storage has no result.
 *
 * - `busy`: too many calls are in progress, or the storage responds with 429 or 5xx.
 * - `unreachable`: no response: the network failed, or it took too long.
 * - `denied`: the storage rejects the service's own call: 403, no such bucket, or another 4xx.
 * - `invalid_response`: the response is not one of the storage, or contradicts its documentation.
 */
export const STORAGE_FAILURES = ['busy', 'unreachable', 'denied', 'invalid_response'] as const;
export type StorageFailure = (typeof STORAGE_FAILURES)[number];

/** A failed call, as the storage describes it. For the log: bounded, and without secrets. */
export type StorageFailureDetails = {
  /** The HTTP status; undefined if there was no response. */
  readonly status?: number | undefined;
  /** The storage's error code, such as `AccessDenied`. */
  readonly code?: string | undefined;
  /** The storage's number of the cause, such as `0003-00000301`. */
  readonly ec?: string | undefined;
  /** The storage's id of the request. Its support asks for it. */
  readonly requestId?: string | undefined;
};

/**
 * A call to the storage that has no result. The message and the details may be logged and shown to
 * operators; they contain no URL, no signature and no body.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageFailure;
  readonly details: StorageFailureDetails;

  constructor(
    kind: StorageFailure,
    message: string,
    { cause, ...details }: StorageFailureDetails & { readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.details = details;
  }
}
