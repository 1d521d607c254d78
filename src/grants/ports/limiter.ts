/** What a rule allows one caller; a missing bound is no bound. */
export type Limits = {
  readonly requestsPerMinute?: number | undefined;
  readonly bytesPerDay?: number | undefined;
};

export type LimitedUpload = {
  readonly rule: string;
  readonly issuer: string;
  readonly subject: string;
  /** The promised length; 0 for an unbound one. */
  readonly bytes: number;
  readonly limits: Limits;
};

/** The state of the bound that is nearest to its end. */
export type LimitVerdict = {
  readonly allowed: boolean;
  readonly limitedBy: keyof Limits;
  readonly limit: number;
  /** Never negative. */
  readonly remaining: number;
  /** Whole seconds until the bound begins anew; at least 1. */
  readonly resetInSeconds: number;
};

/** Where uploads are counted: for all copies together, within this one, or within this one because Redis cannot be had. */
export type LimiterMode = 'redis' | 'memory' | 'degraded';

/**
 * Counts what callers were promised.
 *
 * `consume` counts one upload against every bound of its rule, for this caller alone, atomically: of many concurrent calls
 * exactly as many are allowed as the bound says. It answers undefined when the rule has no bounds, and a promise only where
 * there is something to wait for. A refused upload is not counted against `bytesPerDay`. It does not reject because a store
 * cannot be reached; it then counts within this process.
 * `describe` says for `/readyz` how it counts, `mode` where; they never throw and start no network.
 */
export type Limiter = {
  consume(upload: LimitedUpload): LimitVerdict | undefined | Promise<LimitVerdict | undefined>;
  describe(): { readonly ok: boolean; readonly detail: string };
  mode(): LimiterMode;
  close(): Promise<void>;
};

/**
 * Bounds how many denied and invalid requests one caller gets a reason for, per minute. Both functions return at once.
 *
 * `check` counts nothing: it returns a verdict if the caller has used up the minute, else undefined. `count` counts one denial, and
 * returns a verdict that is not allowed, without counting, if there is no room for it.
 */
export type DenialLimiter = {
  check(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict | undefined;
  count(caller: Pick<LimitedUpload, 'issuer' | 'subject'>): LimitVerdict;
};
