import { OVERLOADED } from '../../errors.ts';
import { createShare } from './even-sampler.ts';
import type { Turns } from './request-groups.ts';

export type OverloadOptions = {
  readonly turns: Turns;
  /** Told when requests begin to be refused, and once in a while as long as they are. */
  readonly onOverload: (waitedMs: number) => void;
};

/** A burst that the machine can answer within a second is let through. */
const MAX_WAIT_MS = 1_000;

/** Some are always answered, so that a copy that is asked far too much still does its work. */
const MAX_REFUSED_SHARE = 0.9;

/** Every so many refusals are told, the first one among them. */
const TOLD_EVERY = 1_000;

/**
 * Makes what a request passes before any work is put into it: it waits for its turn, and is refused with OVERLOADED if it is one of
 * the share that is. A request that waits seconds for its answer is lost work, since its client has gone by then. The longer the wait
 * is above its bound, the larger the share. To refuse all would answer nobody while there is more than can be done, for refusing takes
 * its time too; and whoever is refused waits for that as long as the others, or would ask anew before they are answered.
 */
export function createGate({ turns, onOverload }: OverloadOptions): () => Promise<void> {
  const refuses = createShare();
  let refused = 0;
  return async () => {
    const waitedMs = await turns.take();
    if (waitedMs <= MAX_WAIT_MS) return;
    if (!refuses(Math.min(1 - MAX_WAIT_MS / waitedMs, MAX_REFUSED_SHARE))) return;
    if (refused++ % TOLD_EVERY === 0) onOverload(waitedMs);
    throw OVERLOADED;
  };
}
