import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoSeconds } from '../../src/text/iso-seconds.ts';

it('is the RFC 3339 form of a whole second, in UTC', () => {
  const instant = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(instant, (one) => {
      expect(isoSeconds(Math.floor(one.getTime() / 1000))).toBe(one.toISOString().replace(/\.\d{3}Z$/, 'Z'));
    }),
  );
});

it('rejects a second that no date has', () => {
  expect(() => isoSeconds(Number.NaN)).toThrow(RangeError);
});
