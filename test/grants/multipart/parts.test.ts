import { expect, it } from 'vitest';
import { partsOf } from '../../../src/grants/multipart/parts.ts';

it.each<[number, number, readonly (readonly [offset: number, length: number])[]]>([
  [1, 100, [[0, 1]]],
  [100, 100, [[0, 100]]],
  [
    101,
    100,
    [
      [0, 100],
      [100, 1],
    ],
  ],
  [
    300,
    100,
    [
      [0, 100],
      [100, 100],
      [200, 100],
    ],
  ],
])('cuts %i bytes into parts of %i', (contentLength, partSize, expected) => {
  const { partCount, offset, partLength } = partsOf(contentLength, partSize);
  const numbers = Array.from({ length: partCount }, (_, index) => index + 1);
  expect(numbers.map((number) => [offset(number), partLength(number)])).toStrictEqual(expected);
});

it('is exact for the largest object', () => {
  const partSize = 5 * 1024 ** 3;
  const { partCount, offset, partLength } = partsOf(10_000 * partSize - 1, partSize);
  expect([partCount, offset(10_000), partLength(10_000)]).toStrictEqual([
    10_000,
    9_999 * partSize,
    partSize - 1,
  ]);
});
