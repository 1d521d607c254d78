import { median } from './median.ts';

/** Half of the range, in per cent of the median: the "±" of a figure. */
export function spreadPercent(values: readonly number[]): number {
  return ((Math.max(...values) - Math.min(...values)) / 2 / median(values)) * 100;
}
