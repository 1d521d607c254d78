import { z } from 'zod';
import { faultsOf, invalidRequest, requireObject } from '../request-faults.ts';
import { uploadId as id } from '../request-fields.ts';

/** Bytes of the longest body: an upload id of 3 KiB, and room for the JSON around it. */
export const MAX_CALLBACK_BYTES = 4 * 1024;

/** The body of `POST /v1/callbacks/oss`, and the source of its part of `openapi.yaml`. */
export const callbackRequestBody = z.strictObject({ id });

/**
 * Checks the body of `POST /v1/callbacks/oss`.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseCallbackRequestBody(body: unknown): z.output<typeof callbackRequestBody> {
  const sent = requireObject(body);
  const parsed = callbackRequestBody.safeParse(sent);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error.issues, sent, { fields: ['id'], aliases: {} }));
}
