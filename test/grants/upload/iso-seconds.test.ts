import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoSeconds } from '../../../src/grants/upload/iso-seconds.ts';

it('cuts to whole seconds', () => {
  expect(isoSeconds(new Date('2026-11-23T10:10:00.999Z'))).toBe('2026-11-23T10:10:00Z');
});

it('is what ISO 8601 says of any instant, also of one asked for before among many others', () => {
  const instant = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  const nearby = fc.integer({ min: 0, max: 2_000_000 }).map((ms) => new Date(1_795_428_600_000 + ms));
  fc.assert(
    fc.property(fc.array(fc.oneof(instant, nearby), { minLength: 1, maxLength: 600 }), (instants) => {
      for (const one of [...instants, ...instants])
        expect(isoSeconds(one)).toBe(one.toISOString().replace(/\.\d{3}Z$/, 'Z'));
    }),
    { numRuns: 50 },
  );
});

it('refuses an invalid date', () => {
  expect(() => isoSeconds(new Date(Number.NaN))).toThrow(RangeError);
});
