import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choosePartSize } from '../../../src/grants/multipart/part-size.ts';
import { partsOf } from '../../../src/grants/multipart/parts.ts';
import { propertyRuns } from '../../support/property-runs.ts';

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const SMALLEST = 100 * KIB;
const LARGEST = 5 * GIB;
const LONGEST = 10_000 * LARGEST;

/** Numbers of every magnitude, and those next to a bound. */
const between = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min, max }),
    fc.constantFrom(min, min + 1, max - 1, max),
    fc
      .tuple(
        fc.integer({ min: Math.floor(Math.log2(min)), max: Math.floor(Math.log2(max)) }),
        fc.integer({ min: -2, max: 2 }),
      )
      .map(([power, offset]) => Math.min(max, Math.max(min, 2 ** power + offset))),
  );
const rulePartSize = between(SMALLEST, LARGEST);
const requested = fc.option(between(1, Number.MAX_SAFE_INTEGER), { nil: undefined });
const contentLength = fc.oneof(
  between(1, LONGEST),
  fc.tuple(rulePartSize, between(1, 10_001)).map(([size, count]) => Math.min(LONGEST, size * count)),
);

it('cuts every length into at most 10,000 parts that OSS accepts, and that add up', () => {
  fc.assert(
    fc.property(contentLength, requested, rulePartSize, (length, asked, ofRule) => {
      const partSize = choosePartSize(length, asked, ofRule);
      const { partCount, partLength, offset } = partsOf(length, partSize);
      expect(Number.isSafeInteger(partSize)).toBe(true);
      expect(partSize).toBeGreaterThanOrEqual(SMALLEST);
      expect(partSize).toBeLessThanOrEqual(LARGEST);
      expect(partCount).toBeGreaterThanOrEqual(1);
      expect(partCount).toBeLessThanOrEqual(10_000);
      let sum = 0;
      for (let number = 1; number <= partCount; number++) {
        if (offset(number) !== sum) throw new Error(`part ${number} begins at ${offset(number)}`);
        if (number < partCount && partLength(number) !== partSize) throw new Error(`part ${number}`);
        sum += partLength(number);
      }
      expect(sum).toBe(length);
      expect(partLength(partCount)).toBeGreaterThanOrEqual(1);
      expect(partLength(partCount)).toBeLessThanOrEqual(partSize);
    }),
    { numRuns: propertyRuns(2000) },
  );
});

it.each<[string, number, number | undefined, number, number]>([
  ['takes the size of the rule', 6 * GIB, undefined, 8 * MIB, 8 * MIB],
  ['takes the requested size', 6 * GIB, 64 * MIB, 8 * MIB, 64 * MIB],
  ['takes the least size', MIB, SMALLEST, 8 * MIB, SMALLEST],
  ['takes the greatest size', MIB, LARGEST, 8 * MIB, LARGEST],
  ['ignores a size below the least', MIB, SMALLEST - 1, 8 * MIB, 8 * MIB],
  ['ignores a size above the greatest', MIB, LARGEST + 1, 8 * MIB, 8 * MIB],
  ['allows 10,000 parts', 10_000 * 8 * MIB, undefined, 8 * MIB, 8 * MIB],
  ['raises the size for one byte more', 10_000 * 8 * MIB + 1, undefined, 8 * MIB, 9 * MIB],
  ['raises a requested size', 10_000 * 8 * MIB, SMALLEST, 64 * MIB, 8 * MIB],
  ['needs the greatest size for the longest object', LONGEST, undefined, 8 * MIB, LARGEST],
])('%s', (_title, length, asked, ofRule, expected) => {
  expect(choosePartSize(length, asked, ofRule)).toBe(expected);
});
