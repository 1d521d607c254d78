import type { Limiter } from '../grants/ports/limiter.ts';

/**
 * `redis`: for all replicas. `memory`: in this process. `degraded`: in this process, because Redis
 * is unreachable.
 */
export const LIMITER_MODES = ['redis', 'memory', 'degraded'] as const;
export type LimiterMode = (typeof LIMITER_MODES)[number];

/** The state of a limiter, for operators. Neither function throws or uses the network. */
export type LimiterStatus = {
  /** For `/readyz`: how it counts. */
  describe(): { readonly ok: boolean; readonly detail: string };
  /** Where it counts now. */
  mode(): LimiterMode;
};

/** A limiter as the service runs it. */
export type RunningLimiter = Limiter & LimiterStatus & { close(): Promise<void> };
