import type { ContenderName } from '../contenders.ts';
import type { LoadJob } from '../load/load-job.ts';
import type { Algorithm } from '../setup/tokens.ts';

/**
 * The callers of a load. `one`: one caller repeatedly. `cold`: many callers whose tokens are new to
 * the server. `many`: the same callers again.
 */
export type Callers = 'one' | 'cold' | 'many';

/** One load on a server. The loads of a server run one after the other on one process. */
export type RequestLoad = { readonly algorithm: Algorithm; readonly callers: Callers };

/**
 * The number of callers of `cold` and `many`, and of those before them that warm up the code for
 * new tokens.
 */
export const DISTINCT_CALLERS = 10_000;
export const WARM_UP_CALLERS = 4_000;

/** CPU time of the server. More code takes longer to be optimised, which happens once. */
export const WARM_UP_SECONDS = 3;

const loadsOf = (algorithms: readonly Algorithm[], kinds: readonly Callers[]): readonly RequestLoad[] =>
  algorithms.flatMap((algorithm) => kinds.map((callers) => ({ algorithm, callers })));

/** The loads of a full run. Servers that do not cache tokens get one caller only. */
export const ALL_LOADS: Readonly<Record<ContenderName, readonly RequestLoad[]>> = {
  'node-http': loadsOf(['RS256'], ['one']),
  fastify: loadsOf(['RS256'], ['one']),
  ours: loadsOf(['RS256', 'ES256', 'HS256'], ['one', 'cold', 'many']),
  valkey: loadsOf(['RS256'], ['one', 'many']),
  typescript: loadsOf(['RS256', 'ES256', 'HS256'], ['one']),
  go: loadsOf(['RS256', 'ES256', 'HS256'], ['one']),
};

/** The loads of a check. */
export const CHECK_LOADS: Readonly<Partial<Record<ContenderName, readonly RequestLoad[]>>> = {
  fastify: loadsOf(['RS256'], ['one']),
  ours: loadsOf(['RS256'], ['one', 'cold', 'many']),
  typescript: loadsOf(['RS256'], ['one']),
};

/** How many tokens of each algorithm these loads need. */
export function callersNeeded(loads: readonly RequestLoad[]): Readonly<Record<Algorithm, number>> {
  const needed = (algorithm: Algorithm) => {
    const kinds = loads.filter((load) => load.algorithm === algorithm).map(({ callers }) => callers);
    return kinds.some((callers) => callers !== 'one') ? WARM_UP_CALLERS + DISTINCT_CALLERS : 1;
  };
  return { RS256: needed('RS256'), ES256: needed('ES256'), HS256: needed('HS256') };
}

/** The part of the load generator's job that depends on the callers. */
export function jobOf(callers: Callers, seconds: number): Pick<LoadJob, 'callers' | 'extent'> {
  const all = WARM_UP_CALLERS + DISTINCT_CALLERS;
  switch (callers) {
    case 'one':
      return { callers: { from: 0, to: 1 }, extent: { seconds, warmUpSeconds: WARM_UP_SECONDS } };
    case 'cold':
      return { callers: { from: 0, to: all }, extent: { onceEach: true, warmUpRequests: WARM_UP_CALLERS } };
    case 'many':
      return { callers: { from: WARM_UP_CALLERS, to: all }, extent: { seconds, warmUpSeconds: 0.5 } };
  }
}
