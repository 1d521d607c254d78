import {
  LIMITS,
  type Limit,
  type LimitedUpload,
  type Limits,
  type LimitVerdict,
  shareLeft,
} from '../grants/ports/limiter.ts';

type KnownLimit = (typeof LIMITS)[number];

/** Whether a rule has any limit. */
export function hasLimits(limits: Limits): boolean {
  for (const { name } of LIMITS) if (limits[name] !== undefined) return true;
  return false;
}

/** How much of a limit's unit one upload takes. */
export function amountOf({ unit }: Pick<Limit, 'unit'>, upload: LimitedUpload): number {
  return unit === 'bytes' ? upload.bytes : 1;
}

/**
 * Evaluates the limits of an upload in order, up to the first one that rejects it.
 * @param evaluate returns the verdict of one limit; `index` is its place in {@link LIMITS}.
 * @returns the verdict that rejects; if none does, the one with the smallest share left; undefined
 *   without limits.
 */
export function evaluateLimits(
  upload: LimitedUpload,
  evaluate: (limit: KnownLimit, allowed: number, amount: number, index: number) => LimitVerdict,
): LimitVerdict | undefined {
  let tightest: LimitVerdict | undefined;
  for (let index = 0; index < LIMITS.length; index += 1) {
    const limit = LIMITS[index] as KnownLimit;
    const allowed = upload.limits[limit.name];
    if (allowed === undefined) continue;
    const verdict = evaluate(limit, allowed, amountOf(limit, upload), index);
    if (!verdict.allowed) return verdict;
    if (!tightest || shareLeft(verdict) < shareLeft(tightest)) tightest = verdict;
  }
  return tightest;
}

/**
 * Whether `amount` fits into a window of which `used` is used, and what is then left.
 *
 * `remaining` is what is left after the attempt if it is allowed, otherwise what was left before.
 * Exact up to 2^53, because no two amounts are added before they are compared.
 */
export function evaluateWindow(
  limitedBy: LimitVerdict['limitedBy'],
  limit: number,
  used: number,
  amount: number,
  msBeforeEnd: number,
): LimitVerdict {
  const unused = limit - used;
  const allowed = amount <= unused;
  return {
    allowed,
    limitedBy,
    limit,
    remaining: Math.max(0, allowed ? unused - amount : unused),
    resetInSeconds: Math.max(1, Math.ceil(msBeforeEnd / 1000)),
  };
}
