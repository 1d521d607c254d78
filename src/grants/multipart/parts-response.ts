import { z } from 'zod';

/** The body of the 200 of `POST /v1/uploads/parts`, and the source of its part of the OpenAPI. */
export const signedParts = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          partNumber: z.int().meta({ description: 'The number of the part.' }),
          offset: z.int().meta({ description: 'Where the part begins in the file, in bytes.' }),
          contentLength: z.int().meta({
            description: 'The bytes of the part. The URL accepts exactly this many.',
          }),
          method: z.literal('PUT').meta({ description: 'The method to send the part with.' }),
          url: z.string().meta({ description: 'The presigned URL of the part. Treat it as a secret.' }),
          headers: z.record(z.string(), z.string()).meta({
            description:
              'The headers to send: none, or `Content-MD5`. Send no other header, not even a `Content-Type`.',
          }),
        }),
      )
      .meta({ description: 'The requested parts, in the order of the request.' }),
    expires: z.int().meta({ description: 'Seconds from `serverTime` until the URLs expire.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the URLs expire. Request new ones then.' }),
    expiresLimitedBy: z.enum(['rule', 'credentials']).meta({
      description:
        'The cause of the expiry: the rule (its `expiresIn.max`, or the end of the upload id), or the cloud credentials.',
    }),
    serverTime: z.iso
      .datetime()
      .meta({ description: 'When the URLs were signed, by the clock of the service.' }),
  })
  .readonly();

export type SignedParts = z.output<typeof signedParts>;
