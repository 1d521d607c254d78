import { z } from 'zod';

/**
 * The body of the 200 of `POST /v1/callbacks/oss`, and the source of its part of `openapi.yaml`.
 * The storage passes it on to the client that sent the bytes, so it holds no receipt.
 */
export const confirmedCallback = z.strictObject({
  state: z.literal('stored').meta({ description: 'The object is in the bucket, as granted.' }),
});
