import { MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES } from '../../storage/limits.ts';

const MIB = 1024 ** 2;

/**
 * Returns the size of the parts of a multipart upload in bytes, of which the storage accepts at
 * most 10,000. A size that would need more parts is raised to the least whole number of MiB that
 * does not.
 * @param contentLength bytes, 1 to 48.8 TiB.
 * @param requested bytes; used if a part can have this size, which is 100 KiB to 5 GiB.
 * @param ruleSize bytes, 100 KiB to 5 GiB; used otherwise.
 */
export function choosePartSize(
  contentLength: number,
  requested: number | undefined,
  ruleSize: number,
): number {
  const isPossible = requested !== undefined && requested >= MIN_PART_BYTES && requested <= MAX_PART_BYTES;
  const partSize = isPossible ? requested : ruleSize;
  if (contentLength <= partSize * MAX_PARTS) return partSize;
  return Math.ceil(contentLength / MAX_PARTS / MIB) * MIB;
}
