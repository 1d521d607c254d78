import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeldLists } from '../../src/policy/held-lists.ts';

const value = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '-', 'é', '\ud83d', '😀'), maxLength: 4 }),
  fc.constantFrom(null, true, 0, -0, Number.NaN, 7),
);

it('finds the same values in lists of any length as comparing each one', () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 0, maxLength: 40, size: 'max' }),
      value,
      fc.string({ maxLength: 2 }),
      (list, one, text) => {
        const lists = new HeldLists();
        const prefix = typeof one === 'string' ? one : text;
        const hasPrefix = list.some((held) => typeof held === 'string' && held.startsWith(prefix));
        if (hasPrefix && list.length > 16) found++;
        expect(lists.has(list, one)).toBe(list.includes(one));
        expect(lists.hasPrefix(list, prefix)).toBe(hasPrefix);
      },
    ),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(50);
});
