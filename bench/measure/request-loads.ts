import type { ContenderName } from '../contenders.ts';
import type { LoadJob } from '../load/load-job.ts';
import type { Algorithm } from '../setup/tokens.ts';

/** Who calls: one caller again and again; many, each of whose tokens is new to the server; the same many again. */
export type Callers = 'one' | 'cold' | 'many';

/** One load on a server; the loads of a server follow one another on one process. */
export type RequestLoad = { readonly algorithm: Algorithm; readonly callers: Callers };

/** How many callers `cold` and `many` have, and how many more come before them to warm up what a new token needs. */
export const DISTINCT_CALLERS = 10_000;
export const WARM_UP_CALLERS = 4_000;

/** Of the server's time on its core: much code takes longer to be optimised than little, and it is optimised once. */
export const WARM_UP_SECONDS = 3;

const loadsOf = (algorithms: readonly Algorithm[], kinds: readonly Callers[]): readonly RequestLoad[] =>
  algorithms.flatMap((algorithm) => kinds.map((callers) => ({ algorithm, callers })));

/** What is measured in a full run. Servers that remember no token are asked by one caller alone. */
export const ALL_LOADS: Readonly<Record<ContenderName, readonly RequestLoad[]>> = {
  'node-http': loadsOf(['RS256'], ['one']),
  fastify: loadsOf(['RS256'], ['one']),
  ours: loadsOf(['RS256', 'ES256', 'HS256'], ['one', 'cold', 'many']),
  valkey: loadsOf(['RS256'], ['one', 'many']),
  typescript: loadsOf(['RS256', 'ES256', 'HS256'], ['one']),
  go: loadsOf(['RS256', 'ES256', 'HS256'], ['one']),
};

/** What a check needs. */
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

/** The part of the load generator's job that depends on who calls. */
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
