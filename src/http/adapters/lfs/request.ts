import { z } from 'zod';
import { ServiceError } from '../../../errors.ts';
import { faultsOf, invalidRequest, requireObject } from '../../../grants/request-faults.ts';
import { boundedText } from '../../../grants/request-fields.ts';

/** The most objects of one request; as many as git-lfs sends. */
const MAX_OBJECTS = 100;

const OID_FAULT = 'must be a SHA-256 in 64 lower-case hexadecimal digits';

/** One object, as both operations name it. Unknown fields are ignored. */
export const lfsObject = z.object({
  oid: boundedText(64, OID_FAULT)
    .regex(/^[0-9a-f]{64}$/, OID_FAULT)
    .meta({ description: 'The SHA-256 of the bytes, in 64 lower-case hexadecimal digits.' }),
  size: z
    .int('must be a whole number of bytes')
    .min(0, 'must not be negative')
    .meta({ description: 'The length in bytes.' }),
});

/** The body of a batch request. Unknown fields, such as `ref`, are ignored. */
export const lfsBatch = z.object({
  operation: z.enum(['upload', 'download'], 'must be upload or download'),
  transfers: z
    .array(boundedText(64))
    .max(20, 'must have at most 20 items')
    .refine((transfers) => transfers.length === 0 || transfers.includes('basic'), 'must contain "basic"')
    .nullish()
    .meta({ description: 'The ways in which the client can send bytes. The service uses `basic` only.' }),
  objects: z.array(lfsObject).min(1, 'must not be empty').max(MAX_OBJECTS),
  hash_algo: z
    .literal('sha256', 'must be sha256')
    .nullish()
    .meta({ description: 'The service knows `sha256` only, which is the default.' }),
});

/**
 * Checks a body in the format of git-lfs.
 * @throws ServiceError `invalid_request` with the faults, or `body_too_large` for too many objects.
 */
export function parseLfsBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const sent = requireObject(body);
  const { objects } = sent as { readonly objects?: unknown };
  if (Array.isArray(objects) && objects.length > MAX_OBJECTS) {
    const detail = `A request may have at most ${MAX_OBJECTS} objects; send the others in further requests.`;
    throw new ServiceError('body_too_large', detail);
  }
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error.issues, sent, { fields: [] }));
}
