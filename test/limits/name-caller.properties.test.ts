import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nameCaller } from '../../src/limits/name-caller.ts';
import { propertyRuns } from '../support/property-runs.ts';

it('no two callers or rules are named alike', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ' ', '1', '2'), maxLength: 4 });
  const who = fc.record({ issuer: part, subject: part, rule: part });
  fc.assert(
    fc.property(who, who, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      expect(nameCaller(one) === nameCaller(other)).toBe(isSame);
    }),
    { numRuns: propertyRuns(2000) },
  );
});
