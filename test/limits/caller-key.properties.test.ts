import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callerKey } from '../../src/limits/caller-key.ts';
import { propertyRuns } from '../support/property-runs.ts';

it('no two callers or rules have the same key', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ' ', '1', '2'), maxLength: 4 });
  const upload = fc.record({ issuer: part, subject: part, rule: part });
  fc.assert(
    fc.property(upload, upload, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      expect(callerKey(one) === callerKey(other)).toBe(isSame);
    }),
    { numRuns: propertyRuns(2000) },
  );
});
