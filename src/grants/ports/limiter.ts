/** One kind of limit: how much of a unit one caller may use, under one rule, per window. */
export type Limit = {
  /** Part of the keys in Redis, so it never changes. Most are fields of a rule's `limits` too. */
  readonly name: string;
  /** A window begins with the first upload that it counts, and ends this many seconds later. */
  readonly windowSeconds: number;
  readonly unit: 'requests' | 'bytes' | 'calls';
  /** The unit and the window of the limit, as text for the caller. */
  readonly label: string;
};

/**
 * Every limit, in the order in which an upload is counted. `callsPerMinute` counts the calls about
 * uploads that were granted before, and follows from `requestsPerMinute`.
 */
export const LIMITS = [
  { name: 'requestsPerMinute', windowSeconds: 60, unit: 'requests', label: 'requests per minute' },
  { name: 'bytesPerDay', windowSeconds: 86_400, unit: 'bytes', label: 'bytes per day' },
  { name: 'callsPerMinute', windowSeconds: 60, unit: 'calls', label: 'calls about uploads per minute' },
] as const satisfies readonly Limit[];

export type LimitName = (typeof LIMITS)[number]['name'];

/** The limits of a rule for each caller. A missing limit is not enforced. */
export type Limits = { readonly [name in LimitName]?: number | undefined };

export type LimitedUpload = {
  readonly rule: string;
  readonly issuer: string;
  readonly subject: string;
  /** The length that the URL is bound to; 0 if it is not bound to a length. */
  readonly bytes: number;
  readonly limits: Limits;
};

/** The state of one limit: the one that rejects the upload, else the one with the least left. */
export type LimitVerdict = {
  readonly allowed: boolean;
  readonly limitedBy: LimitName;
  readonly limit: number;
  /** Never negative. */
  readonly remaining: number;
  /** Whole seconds until the window ends; at least 1. */
  readonly resetInSeconds: number;
};

/** The part of a limit that is left, from 0 to 1. */
export function shareLeft({ remaining, limit }: LimitVerdict): number {
  return limit === 0 ? 0 : remaining / limit;
}

/**
 * Counts what callers were granted.
 *
 * `consume` counts one upload of one caller against every limit of its rule, atomically: of many
 * concurrent calls, exactly as many are allowed as the limit permits. The limits are counted in the
 * order of {@link LIMITS}, up to the first one that rejects the upload. The upload stays counted in
 * the limits before that one; it is not counted in that one or in the ones after it. So an upload
 * rejected by `bytesPerDay` still uses one of `requestsPerMinute`.
 *
 * `consume` returns undefined if the rule has no limits, and a promise only if it has to wait. It
 * does not reject if a shared store is unreachable; it then counts in this process.
 */
export type Limiter = {
  consume(upload: LimitedUpload): LimitVerdict | undefined | Promise<LimitVerdict | undefined>;
};

/**
 * Limits how many denied and invalid requests per minute get a reason.
 *
 * Both functions return at once.
 *
 * `check` counts nothing: it returns a verdict if the caller has used up the limit of the minute,
 * otherwise undefined. `count` counts one denial. If the limit is used up, it counts nothing and
 * returns a verdict that is not allowed.
 */
export type DenialLimiter = {
  check(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict | undefined;
  count(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict;
};
