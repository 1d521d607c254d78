import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countJsonParts } from '../../../src/http/plugins/json-complexity.ts';
import { codePoint } from '../../support/code-point.ts';

/** The members and items of a parsed value. An object or a list without any counts as one. */
function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return members.reduce<number>((sum, member) => sum + partsOf(member), Math.max(members.length, 1));
}

it('counts the parts of any JSON text, whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: codePoint }), fc.boolean(), (value, isIndented) => {
      const text = JSON.stringify(value, null, isIndented ? 2 : 0);
      expect(countJsonParts(Buffer.from(text), Number.POSITIVE_INFINITY)).toBe(partsOf(JSON.parse(text)));
    }),
  );
  const strings = '{"a[{,\\"":["\\\\","},[","\\\\\\"[{"]}';
  expect(countJsonParts(Buffer.from(strings), 100)).toBe(4);
});

it('stops at the limit', () => {
  expect(countJsonParts(Buffer.from('[[[[[['), 2)).toBe(3);
});
