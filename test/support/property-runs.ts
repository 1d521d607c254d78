import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** By which number each property's count of cases is divided; set in the configuration of the suite. */
    readonly propertyRunsDivisor: number;
  }
}

/**
 * How many cases to try of a property: all of them in `npm run test:properties`, a tenth in `npm test`.
 * @param cost how many times longer than usual a case takes: `npm test` runs that many times fewer.
 */
export function propertyRuns(all: number, cost = 1): number {
  const divisor = inject('propertyRunsDivisor');
  return divisor === 1 ? all : Math.ceil(all / (divisor * cost));
}
