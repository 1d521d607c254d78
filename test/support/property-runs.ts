import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** By which number each property's count of cases is divided; set in the configuration of the suite. */
    readonly propertyRunsDivisor: number;
  }
}

/** How many cases to try of a property: all of them in `npm run test:properties`, a tenth in `npm test`. */
export function propertyRuns(all: number): number {
  return Math.ceil(all / inject('propertyRunsDivisor'));
}
