import { z } from 'zod';
import { CRC64, MAX_CRC64 } from '../../storage/crc64.ts';
import { faultsOf, invalidRequest, type KnownFields, requireObject } from '../request-faults.ts';
import { boundedText, uploadId as id } from '../request-fields.ts';

const CRC64_FAULT = `must be a whole number from 0 to ${MAX_CRC64} in digits, without a sign and without leading zeros`;

/** The body of `POST /v1/uploads/status`, and the source of its part of `openapi.yaml`. */
export const statusRequestBody = z.strictObject({ id });

/** The body of `POST /v1/uploads/complete`, and the source of its part of `openapi.yaml`. */
export const completeRequestBody = z.strictObject({
  id,
  crc64: boundedText(String(MAX_CRC64).length, CRC64_FAULT)
    .regex(CRC64, { message: CRC64_FAULT, abort: true })
    .refine((digits) => BigInt(digits) <= MAX_CRC64, CRC64_FAULT)
    .optional()
    .meta({
      description:
        'The CRC-64/ECMA of the bytes that the client sent, as OSS writes it: an unsigned number in decimal. The object must have the same.',
      examples: ['9962105210321023210'],
    }),
});

/** The body of `POST /v1/uploads/abort`, and the source of its part of `openapi.yaml`. */
export const abortRequestBody = z.strictObject({ id });

export type CompleteRequest = z.output<typeof completeRequestBody>;

/** Names that clients of OSS know. */
const ALIASES = { uploadId: 'id', crc: 'crc64', hashCrc64ecma: 'crc64' };

/**
 * Checks the body of `POST /v1/uploads/status`.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseStatusRequestBody(body: unknown): z.output<typeof statusRequestBody> {
  return parse(body, statusRequestBody, { fields: ['id'], aliases: ALIASES });
}

/**
 * Checks the body of `POST /v1/uploads/abort`.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseAbortRequestBody(body: unknown): z.output<typeof abortRequestBody> {
  return parse(body, abortRequestBody, { fields: ['id'], aliases: ALIASES });
}

/**
 * Checks the body of `POST /v1/uploads/complete`.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseCompleteRequestBody(body: unknown): CompleteRequest {
  return parse(body, completeRequestBody, { fields: ['id', 'crc64'], aliases: ALIASES });
}

function parse<Output>(body: unknown, schema: z.ZodType<Output>, known: KnownFields): Output {
  const sent = requireObject(body);
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error.issues, sent, known));
}
