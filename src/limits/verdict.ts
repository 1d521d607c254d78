import type { Limits, LimitVerdict } from '../grants/ports/limiter.ts';

/** A window begins with the first upload that is counted in it, and is over this many seconds later. */
export const WINDOW_SECONDS: Readonly<Record<keyof Limits, number>> = {
  requestsPerMinute: 60,
  bytesPerDay: 86_400,
};

/**
 * Whether `points` fit into a window of which `used` are used, and what is left of it then: after the attempt where it is
 * allowed, as it was where it is not. Exact up to 2^53, since no two amounts are added before they were compared.
 */
export function judge(
  limitedBy: keyof Limits,
  limit: number,
  used: number,
  points: number,
  msBeforeEnd: number,
): LimitVerdict {
  const unused = limit - used;
  const allowed = points <= unused;
  return {
    allowed,
    limitedBy,
    limit,
    remaining: Math.max(0, allowed ? unused - points : unused),
    resetInSeconds: Math.max(1, Math.ceil(msBeforeEnd / 1000)),
  };
}

/**
 * What to tell of the two bounds of one upload: the one that refuses; when none does, the one of which the smaller share is
 * left. Undefined where there is none. What the requests refuse has no verdict on its bytes.
 */
export function nearest(
  ofRequests: LimitVerdict | undefined,
  ofBytes: LimitVerdict | undefined,
): LimitVerdict | undefined {
  if (!ofRequests || !ofBytes) return ofRequests ?? ofBytes;
  return !ofBytes.allowed || share(ofBytes) < share(ofRequests) ? ofBytes : ofRequests;
}

function share({ remaining, limit }: LimitVerdict): number {
  return limit === 0 ? 0 : remaining / limit;
}
