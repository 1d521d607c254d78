/**
 * The smallest value that `percent` per cent of the values do not exceed (nearest rank).
 * @param sorted ascending.
 * @returns NaN if there are no values.
 */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.ceil((percent * sorted.length) / 100);
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN;
}
