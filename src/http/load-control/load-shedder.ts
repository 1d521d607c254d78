import { ServiceError } from '../../errors.ts';
import { createEvenSampler } from './even-sampler.ts';
import type { RequestGroups } from './request-groups.ts';

/**
 * The rejection under overload. A shared instance: creating an `Error` per rejection would cost a
 * stack trace each time.
 */
export const OVERLOADED = new ServiceError(
  'unavailable',
  'The service has more requests than it can handle; try again.',
  { headers: { 'Retry-After': '1' } },
);

/** The service works off a burst that takes less than this without rejecting any of it. */
const MAX_WAIT_MS = 1_000;

/** The remaining tenth keeps an overloaded replica useful. */
const MAX_REJECTED_SHARE = 0.9;

/** The log has one warning for this many rejections, and one for the first of them. */
const LOG_EVERY_NTH_REJECTION = 1_000;

export type LoadShedderOptions = {
  readonly requestGroups: RequestGroups;
  /** Called for the first rejection and for every {@link LOG_EVERY_NTH_REJECTION}th. */
  readonly onOverload: (waitedMs: number) => void;
};

/**
 * Creates `admit`, which a request awaits before any work is done for it: it waits for the
 * request's group, and rejects a share of the requests with {@link OVERLOADED} if they have waited
 * for more than a second. The longer the wait, the larger the share.
 *
 * A client does not wait for seconds, so work on its request would be lost. The share is never 1,
 * because rejecting costs time too and some callers must still be served. A rejected request waits
 * as long as the others: an immediate rejection would make the client retry before the others have
 * their response.
 */
export function createLoadShedder({ requestGroups, onOverload }: LoadShedderOptions): () => Promise<void> {
  const isSampled = createEvenSampler();
  let rejections = 0;
  return async function admit() {
    const waitedMs = await requestGroups.join();
    if (waitedMs <= MAX_WAIT_MS) return;
    if (!isSampled(Math.min(1 - MAX_WAIT_MS / waitedMs, MAX_REJECTED_SHARE))) return;
    if (rejections++ % LOG_EVERY_NTH_REJECTION === 0) onOverload(waitedMs);
    throw OVERLOADED;
  };
}
