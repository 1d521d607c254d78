import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonMember, jsonText } from '../src/json-text.ts';
import { propertyRuns } from './support/property-runs.ts';

// Code units of every kind: controls, quotation marks, halves of surrogate pairs.
const units = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const text = fc.oneof(units, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());

it('writes every text as JSON.stringify does', () => {
  fc.assert(
    fc.property(text, (one) => {
      expect(`"${jsonText(one)}"`).toBe(JSON.stringify(one));
    }),
    { numRuns: propertyRuns(5_000) },
  );
});

it('writes every code unit as JSON.stringify does', () => {
  for (let unit = 0; unit <= 0xffff; unit++) {
    const one = String.fromCharCode(unit);
    const written = `"${jsonText(one)}"`;
    if (written !== JSON.stringify(one)) expect(written).toBe(JSON.stringify(one));
  }
});

it('leaves out a member that is undefined, and no other', () => {
  expect([undefined, '', 'a"b'].map((one) => jsonMember('name', one))).toStrictEqual([
    '',
    ',"name":""',
    ',"name":"a\\"b"',
  ]);
});
