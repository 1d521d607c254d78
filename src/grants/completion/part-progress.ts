import type { PartRange } from '../../errors.ts';
import type { StoredPart } from '../../storage/object-storage.ts';
import type { Parts } from '../multipart/parts.ts';

export type PartProgress = {
  /** The parts that the storage has as granted, in ascending order. */
  readonly done: readonly StoredPart[];
  /** All other parts of the grant, in ascending order. Ranges do not touch. */
  readonly missing: readonly PartRange[];
};

/**
 * Compares the parts that the storage has with those of the grant. A part of another length is
 * missing: it has to be sent again. Parts that the grant does not have are left out.
 * @param stored in ascending order, each number once.
 */
export function partProgress({ partCount, partLength }: Parts, stored: readonly StoredPart[]): PartProgress {
  const done = stored.filter(
    ({ partNumber, contentLength }) =>
      partNumber >= 1 && partNumber <= partCount && contentLength === partLength(partNumber),
  );
  const missing: PartRange[] = [];
  let next = 1;
  for (const { partNumber } of done) {
    if (partNumber > next) missing.push({ from: next, to: partNumber - 1 });
    next = partNumber + 1;
  }
  if (next <= partCount) missing.push({ from: next, to: partCount });
  return { done, missing };
}
