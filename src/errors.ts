/**
 * The stable `code` of each problem document.
 * `http/plugins/problem-json.ts` has the HTTP status of each.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthenticated'
  | 'policy_denied'
  | 'not_found'
  | 'upload_id_invalid'
  | 'upload_id_expired'
  | 'upload_absent'
  | 'upload_mismatch'
  | 'upload_incomplete'
  | 'object_exists'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'internal'
  | 'storage_error'
  | 'notification_failed'
  | 'unavailable';

/** The `code` of each fault in a request that is not valid. */
export const REQUEST_FAULT_CODES = [
  'required',
  'unknown_field',
  'invalid_type',
  'invalid_value',
  'conflict',
] as const;
export type RequestFaultCode = (typeof REQUEST_FAULT_CODES)[number];

/** The `code` of each reason for which the policy denies a request. Clients depend on them. */
export const VIOLATION_CODES = [
  'no_matching_rule',
  'key_outside_prefix',
  'key_not_allowed',
  'content_type_not_allowed',
  'too_large',
  'length_required',
  'metadata_not_allowed',
  'metadata_missing',
  'expiry_too_long',
  'overwrite_not_allowed',
  'header_not_allowed',
  'transfer_not_allowed',
] as const;
export type ViolationCode = (typeof VIOLATION_CODES)[number];

/** The `code` of each difference between a stored object and its grant. Clients depend on them. */
export const MISMATCH_CODES = [
  'content_length_mismatch',
  'content_type_mismatch',
  'metadata_mismatch',
  'header_mismatch',
  'checksum_mismatch',
  'object_type_not_allowed',
  'other_upload',
] as const;
export type MismatchCode = (typeof MISMATCH_CODES)[number];

/**
 * One fault of a rejected request: its place (an RFC 6901 pointer into the body), its stable code,
 * and one sentence.
 */
export type Fault = {
  readonly pointer: string;
  readonly code: RequestFaultCode | ViolationCode | MismatchCode;
  readonly detail: string;
};

/**
 * The most faults that a problem document lists, so that a small request cannot cause a large
 * response.
 */
export const MAX_FAULTS = 20;

/**
 * Returns the `detail` for a list of faults: the first one, and the number of others. A client that
 * shows only the detail then shows a reason.
 * @param count how many faults there are, if the list holds only some of them.
 */
export function summarizeFaults(faults: readonly Fault[], count = faults.length): string {
  const reason = faults[0]?.detail ?? '';
  return count <= 1 ? reason : `${reason} And ${count - 1} more; see errors.`;
}

/** Parts of a multipart upload that follow one another: the numbers of the first and the last. */
export type PartRange = { readonly from: number; readonly to: number };

/** The most ranges of parts that a problem document lists. */
export const MAX_MISSING_RANGES = 20;

export type ServiceErrorOptions = {
  /** The cause. It is logged and never sent to the client. */
  readonly cause?: unknown;
  /** Faults that the client can correct, all at once. */
  readonly errors?: readonly Fault[];
  /** The parts that an upload lacks, in ascending order. */
  readonly missing?: readonly PartRange[];
  /** The stored upload, as a response without the rejection has it. Never logged. */
  readonly upload?: object;
  /** Response headers that belong to the rejection (`WWW-Authenticate`, `Retry-After`, `Allow`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** Logged and never sent to the client. No secret, no token; each value has a bounded length. */
  readonly logFields?: Readonly<Record<string, string>>;
};

/**
 * A rejection that the client sees. `detail` is public: one plain sentence that names the change to
 * make, without secrets. Causes that must stay inside the service are in `cause`.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly Fault[] | undefined;
  readonly missing: readonly PartRange[] | undefined;
  readonly upload: object | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly logFields: Readonly<Record<string, string>> | undefined;

  constructor(code: ErrorCode, detail: string, options: ServiceErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.errors = options.errors;
    this.missing = options.missing;
    this.upload = options.upload;
    this.headers = options.headers ?? {};
    this.logFields = options.logFields;
  }
}
