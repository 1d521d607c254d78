import { z } from 'zod';
import { MAX_PARTS } from '../../storage/limits.ts';
import { type Found, faultsOf, invalidRequest, requireObject } from '../request-faults.ts';
import { boundedText, MD5, MD5_FAULT, uploadId } from '../request-fields.ts';

/** The most parts of one request. */
export const MAX_PARTS_PER_REQUEST = 100;

/** A number from 1 to 99999 without leading zeros. The storage has at most 10,000 parts. */
const PART_NUMBER = /^[1-9]\d{0,4}$/;

/** The body of `POST /v1/uploads/parts`, and the source of its part of `openapi.yaml`. */
export const partsRequestBody = z.strictObject({
  id: uploadId,
  partNumbers: z
    .array(z.int('must be a whole number').min(1, 'must be at least 1').max(MAX_PARTS))
    .min(1, 'must have at least one part number')
    .max(MAX_PARTS_PER_REQUEST)
    .meta({
      description: `The parts to sign: 1 to ${MAX_PARTS_PER_REQUEST} different numbers, each from 1 to \`partCount\`.`,
      examples: [[1, 2, 3]],
    }),
  contentMd5: z
    .record(
      boundedText(5, 'as a name must be a part number').regex(PART_NUMBER, 'as a name must be a part number'),
      boundedText(24, MD5_FAULT).regex(MD5, MD5_FAULT),
    )
    .default({})
    .meta({
      description:
        'By part number, base64 of the 16 bytes of the MD5 of the part (RFC 1864). OSS then rejects bytes that differ.',
    }),
});

export type PartsRequest = z.output<typeof partsRequestBody>;

const KNOWN = {
  fields: Object.keys(partsRequestBody.shape),
  // Names that clients of OSS know.
  aliases: { uploadId: 'id', partNumber: 'partNumbers', parts: 'partNumbers', md5: 'contentMd5' },
};

/**
 * Checks the body of `POST /v1/uploads/parts`. Whether the upload has such parts is checked later.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parsePartsRequestBody(body: unknown): PartsRequest {
  const sent = requireObject(body);
  const tooMany = tooManyEntries(sent);
  if (tooMany.length > 0) throw invalidRequest(tooMany);
  const parsed = partsRequestBody.safeParse(sent);
  const faults = parsed.success ? relationFaults(parsed.data) : faultsOf(parsed.error.issues, sent, KNOWN);
  if (!parsed.success || faults.length > 0) throw invalidRequest(faults);
  return parsed.data;
}

/** Counts the entries first, so that a long list takes no time. */
function tooManyEntries(body: object): readonly Found[] {
  const sent = body as Readonly<Record<string, unknown>>;
  const faults: Found[] = [];
  for (const field of ['partNumbers', 'contentMd5']) {
    const entries = sent[field];
    if (typeof entries !== 'object' || entries === null) continue;
    const count = Array.isArray(entries) ? entries.length : Object.keys(entries).length;
    if (count <= MAX_PARTS_PER_REQUEST) continue;
    const detail = `${field} has ${count} entries; at most ${MAX_PARTS_PER_REQUEST} are allowed.`;
    faults.push(() => ({ pointer: `/${field}`, code: 'invalid_value', detail }));
  }
  return faults;
}

/** Lists part numbers that are sent twice, and the MD5s of parts that the request does not name. */
function relationFaults({ partNumbers, contentMd5 }: PartsRequest): readonly Found[] {
  const numbers = new Set<number>();
  const faults: Found[] = [];
  for (const [index, number] of partNumbers.entries()) {
    if (numbers.has(number))
      faults.push(() => ({
        pointer: `/partNumbers/${index}`,
        code: 'invalid_value',
        detail: `partNumbers[${index}] is ${number}, which is sent twice.`,
      }));
    numbers.add(number);
  }
  for (const number of Object.keys(contentMd5))
    if (!numbers.has(Number(number)))
      faults.push(() => ({
        pointer: `/contentMd5/${number}`,
        code: 'conflict',
        detail: `contentMd5 has part ${number}, which partNumbers does not have.`,
      }));
  return faults;
}

/**
 * Checks that the upload has the requested parts.
 * @throws ServiceError `invalid_request` with a fault for each part that it does not have.
 */
export function requireParts({ partNumbers }: PartsRequest, partCount: number): void {
  const faults = partNumbers.flatMap((number, index): readonly Found[] => {
    if (number <= partCount) return [];
    const detail = `partNumbers[${index}] is ${number}, but the upload has ${partCount === 1 ? 'one part' : `${partCount} parts`}.`;
    return [() => ({ pointer: `/partNumbers/${index}`, code: 'invalid_value', detail })];
  });
  if (faults.length > 0) throw invalidRequest(faults);
}
