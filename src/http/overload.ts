import type { FastifyInstance } from 'fastify';
import { OVERLOADED } from '../errors.ts';
import { asksForToken } from './authenticate.ts';
import { createShare } from './share.ts';
import type { Turns } from './turns.ts';

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
 * Refuses a share of what has waited too long: a request that waits seconds for its answer is lost work, since its client has
 * gone by then. The longer the wait is above its bound, the larger the share. To refuse all would answer nobody while there is more
 * than can be done, for refusing takes its time too; and whoever is refused waits for that as long as the others, or would ask anew
 * before they are answered. Public routes are always answered: a copy that is busy must not be taken for one that is dead.
 */
export function registerOverload(app: FastifyInstance, { turns, onOverload }: OverloadOptions): void {
  const refuses = createShare();
  let refused = 0;
  app.addHook('onRequest', async (request) => {
    if (!asksForToken(request)) return;
    const waitedMs = await turns.take();
    if (waitedMs <= MAX_WAIT_MS) return;
    if (!refuses(Math.min(1 - MAX_WAIT_MS / waitedMs, MAX_REFUSED_SHARE))) return;
    if (refused++ % TOLD_EVERY === 0) onOverload(waitedMs);
    throw OVERLOADED;
  });
}
