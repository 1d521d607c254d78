import type { LimitedUpload, Limits, LimitVerdict } from '../uploads/limiter.ts';
import { hashCaller } from './hash-caller.ts';

/** Where a window stands after one attempt to count in it. */
export type WindowState = {
  readonly allowed: boolean;
  /** Points that are left: after the attempt when it was counted, as they were when it was not. */
  readonly remaining: number;
  readonly msBeforeNext: number;
};

/**
 * Adds `points` to the open window of this bound and caller if the sum stays within `limit`, else changes nothing. Both in
 * one step: no other count of the same window comes between the comparison and the addition.
 */
export type CountInWindow = (
  bound: keyof Limits,
  limit: number,
  callerHash: string,
  points: number,
) => Promise<WindowState>;

/**
 * Counts one upload against each bound of its rule, the requests first: what they refuse is not counted as bytes. What the
 * bytes refuse has been a request and stays counted as one.
 * @returns the bound that refuses; when none does, the one of which the smaller share is left; undefined without bounds.
 */
export async function consumeBounds(
  { rule, issuer, subject, bytes, limits }: LimitedUpload,
  countInWindow: CountInWindow,
): Promise<LimitVerdict | undefined> {
  const callerHash = hashCaller(issuer, subject, rule);
  const consume = async (limitedBy: keyof Limits, points: number): Promise<LimitVerdict | undefined> => {
    const limit = limits[limitedBy];
    if (limit === undefined) return undefined;
    const { allowed, remaining, msBeforeNext } = await countInWindow(limitedBy, limit, callerHash, points);
    const resetInSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    return { allowed, limitedBy, limit, remaining: Math.max(0, remaining), resetInSeconds };
  };

  const ofRequests = await consume('requestsPerMinute', 1);
  if (ofRequests && !ofRequests.allowed) return ofRequests;
  const ofBytes = await consume('bytesPerDay', bytes);
  if (!ofRequests || !ofBytes) return ofRequests ?? ofBytes;
  return !ofBytes.allowed || share(ofBytes) < share(ofRequests) ? ofBytes : ofRequests;
}

function share({ remaining, limit }: LimitVerdict): number {
  return limit === 0 ? 0 : remaining / limit;
}
