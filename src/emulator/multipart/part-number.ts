import { OssError } from '../oss-error.ts';

const MAX_PART_NUMBER = 10_000;

/**
 * Reads a part number.
 * @throws OssError `InvalidArgument` for anything but a whole number from 1 to 10000.
 */
export function readPartNumber(text: string): number {
  const partNumber = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (partNumber >= 1 && partNumber <= MAX_PART_NUMBER) return partNumber;
  throw new OssError('partNumberInvalid', { ArgumentName: 'PartNumber', ArgumentValue: text });
}
