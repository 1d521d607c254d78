/** One kind of limit: how much of a unit one caller may use, under one rule, per window. */
export type Limit = {
  /** The field of a rule's `limits`; also part of the keys in Redis, so it never changes. */
  readonly name: string;
  /** A window begins with the first upload that is counted in it, and ends this many seconds later. */
  readonly windowSeconds: number;
  readonly unit: 'requests' | 'bytes';
  /** What the number of a limit counts, as the caller reads it. */
  readonly label: string;
};

/** Every limit, in the order in which an upload is counted. */
export const LIMITS = [
  { name: 'requestsPerMinute', windowSeconds: 60, unit: 'requests', label: 'requests per minute' },
  { name: 'bytesPerDay', windowSeconds: 86_400, unit: 'bytes', label: 'bytes per day' },
] as const satisfies readonly Limit[];

export type LimitName = (typeof LIMITS)[number]['name'];

/** What a rule allows one caller; a limit that is missing is not enforced. */
export type Limits = { readonly [name in LimitName]?: number | undefined };

export type LimitedUpload = {
  readonly rule: string;
  readonly issuer: string;
  readonly subject: string;
  /** The length that the URL is bound to; 0 if it is not bound to one. */
  readonly bytes: number;
  readonly limits: Limits;
};

/** The state of one limit: of the one that rejects the upload, else of the one that is closest to its end. */
export type LimitVerdict = {
  readonly allowed: boolean;
  readonly limitedBy: LimitName;
  readonly limit: number;
  /** Never negative. */
  readonly remaining: number;
  /** Whole seconds until the window ends; at least 1. */
  readonly resetInSeconds: number;
};

/**
 * Counts what callers were granted.
 *
 * `consume` counts one upload against every limit of its rule, for this caller alone, atomically: of
 * many concurrent calls exactly as many are allowed as the limit permits. The limits are counted in
 * the order of {@link LIMITS}: an upload that one of them rejects is not counted against that one or
 * the ones after it. It returns undefined if the rule has no limits, and a promise only if there is
 * something to wait for. It does not reject because a shared store is unreachable; it then counts in
 * this process.
 */
export type Limiter = {
  consume(upload: LimitedUpload): LimitVerdict | undefined | Promise<LimitVerdict | undefined>;
};

/**
 * Limits how many denied and invalid requests per minute get a reason. Both functions return at once.
 *
 * `check` counts nothing: it returns a verdict if the caller has used up the minute, else undefined.
 * `count` counts one denial; if there is no room for it, it counts nothing and returns a verdict that
 * is not allowed.
 */
export type DenialLimiter = {
  check(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict | undefined;
  count(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict;
};
