import { z } from 'zod';

/**
 * The 201 of `POST /v1/uploads`; also the source of its part of `openapi.yaml`. `method`, `url`, `headers` and `expires`
 * mean what they mean to Uppy's S3 plugin; there is never a `fields`, whose presence would switch that client to forms.
 */
export const uploadAnswer = z
  .strictObject({
    method: z.literal('PUT'),
    url: z
      .string()
      .meta({ description: 'The presigned URL. Whoever holds it may upload; treat it as a secret.' }),
    headers: z.record(z.string(), z.string()).meta({
      description: 'Each header that the client has to set, verbatim. Setting exactly these always works.',
    }),
    key: z.string().meta({ description: 'The object key.' }),
    bucket: z.string(),
    region: z.string(),
    target: z.string().meta({ description: 'The policy’s target.' }),
    contentLength: z
      .int()
      .nullable()
      .meta({ description: 'What Content-Length must be, in bytes; null when it is not bound.' }),
    expires: z.int().meta({ description: 'Seconds from serverTime until the URL ends.' }),
    expiresAt: z.iso.datetime(),
    expiresLimitedBy: z.enum(['request', 'rule', 'credentials', 'maximum']),
    serverTime: z.iso.datetime(),
  })
  .readonly();

export type UploadAnswer = z.output<typeof uploadAnswer>;
