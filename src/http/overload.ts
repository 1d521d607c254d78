import underPressure, { TYPE_EVENT_LOOP_DELAY } from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { overloaded } from '../errors.ts';

export type OverloadLimits = {
  /** The mean delay of the event loop, over one sample, above which requests are refused; in milliseconds. */
  readonly maxEventLoopDelayMs: number;
  readonly sampleIntervalMs: number;
};

/** Some are always answered, so that a copy that is asked far too much still does its work. */
const MAX_REFUSED_SHARE = 0.9;

/**
 * Refuses at once what would only queue: a request that waits seconds for its answer is lost work, since its client has gone
 * by then. The further the delay is above its bound, the larger the share that is refused; refusing all would let the delay
 * fall and rise again, and answer nobody meanwhile. Probes and metrics are always answered: a copy that is busy must not be
 * taken for one that is dead.
 */
export async function registerOverload(
  app: FastifyInstance,
  { maxEventLoopDelayMs, sampleIntervalMs }: OverloadLimits,
): Promise<void> {
  const refuses = createShare();
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    sampleInterval: sampleIntervalMs,
    pressureHandler: (request, _reply, type, delayMs) => {
      if (request.routeOptions.config.public || type !== TYPE_EVENT_LOOP_DELAY) return undefined;
      // Infinity where one turn of the loop was longer than the sample.
      const excess = 1 - maxEventLoopDelayMs / (delayMs ?? maxEventLoopDelayMs);
      if (!refuses(Math.min(excess, MAX_REFUSED_SHARE))) return undefined;
      // Thrown, it would end the process: the plugin expects an answer or a promise.
      return Promise.reject(overloaded());
    },
  });
}

/** Says yes to this share of the calls (0 to 1), evenly spread: to every fourth for a quarter. */
export function createShare(): (share: number) => boolean {
  let due = 0;
  return (share) => {
    due += share;
    if (due < 1) return false;
    due -= 1;
    return true;
  };
}
