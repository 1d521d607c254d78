import { describe, expect, it } from 'vitest';
import { median } from '../../bench/report/median.ts';
import { percentile } from '../../bench/report/percentile.ts';
import { spreadPercent } from '../../bench/report/spread.ts';

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[10, 9, 1, 2], 5.5],
    [[7], 7],
    [[], Number.NaN],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('percentile', () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => index + 1);

  it.each([
    [50, 500],
    [99, 990],
    [99.9, 999],
    [100, 1000],
    [0, 1],
  ])('%d of 1…1000 is %d', (percent, expected) => {
    expect(percentile(thousand, percent)).toBe(expected);
  });

  it('is always one of the values', () => {
    expect([percentile([1, 9], 50), percentile([1, 9], 51), percentile([], 50)]).toStrictEqual([
      1,
      9,
      Number.NaN,
    ]);
  });
});

it('the spread is half of the range, in per cent of the median', () => {
  expect([spreadPercent([90, 100, 130]), spreadPercent([5])]).toStrictEqual([20, 0]);
});
