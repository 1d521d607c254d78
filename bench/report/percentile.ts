/**
 * The smallest value that `percent` per cent of the values do not exceed (nearest rank).
 * @param sorted ascending.
 * @returns NaN of no values.
 */
export function percentile(sorted: readonly number[], percent: number): number {
  // 99.9 × 1000 / 100 is a little more than 999 in binary floating point, and would take the next rank.
  const rank = Math.ceil(Number(((percent * sorted.length) / 100).toFixed(6)));
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN;
}
