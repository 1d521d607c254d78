import type { FastifyInstance } from 'fastify';
import { OVERLOADED } from '../errors.ts';
import { asksForToken } from './authenticate.ts';
import { createShare } from './share.ts';
import type { Turns } from './turns.ts';

export type OverloadOptions = {
  readonly turns: Turns;
  /** Told when requests begin to be refused, and once in a while as long as they are. */
  readonly onOverload: (waitMs: number) => void;
};

/** A burst that the machine can answer within a second is let through. */
const MAX_WAIT_MS = 1_000;

/** Some are always answered, so that a copy that is asked far too much still does its work. */
const MAX_REFUSED_SHARE = 0.9;

/** Every so many refusals are told, the first one among them. */
const TOLD_EVERY = 1_000;

/**
 * Refuses what would only queue: a request that waits seconds for its answer is lost work, since its client has gone
 * by then. The longer the wait is above its bound, the larger the share that is refused, before any work was put into it. To
 * refuse all would answer nobody while there is more than can be done, for refusing takes its time too. Public routes are always
 * answered: a copy that is busy must not be taken for one that is dead.
 */
export function registerOverload(app: FastifyInstance, { turns, onOverload }: OverloadOptions): void {
  const refuses = createShare();
  let refused = 0;
  app.addHook('onRequest', (request, _reply, done) => {
    const waitMs = turns.waitMs();
    if (waitMs <= MAX_WAIT_MS || !asksForToken(request)) return done();
    if (!refuses(Math.min(1 - MAX_WAIT_MS / waitMs, MAX_REFUSED_SHARE))) return done();
    if (refused++ % TOLD_EVERY === 0) onOverload(waitMs);
    // Not at once: whoever is refused asks anew, and would be read before those who were not are answered.
    void turns.end().then(() => done(OVERLOADED));
  });
}
