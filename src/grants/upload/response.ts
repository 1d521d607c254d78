import { z } from 'zod';

/**
 * The body of the 201 of `POST /v1/uploads`, and the source of its part of `openapi.yaml`.
 * `method`, `url`, `headers` and `expires` mean what they mean to Uppy's S3 plugin. `fields` is
 * never present: Uppy would switch to form uploads.
 */
export const uploadGrant = z
  .strictObject({
    method: z.literal('PUT').meta({ description: 'The method to send the bytes with.' }),
    url: z
      .string()
      .meta({ description: 'The presigned URL. Anyone who has it may upload, so treat it as a secret.' }),
    headers: z.record(z.string(), z.string()).meta({
      description:
        'Each header that the client has to set, unchanged. Setting exactly these works from every HTTP client.',
    }),
    key: z.string().meta({ description: 'The object key.' }),
    bucket: z.string().meta({ description: 'The name of the bucket.' }),
    region: z.string().meta({ description: 'The region of the bucket, such as `cn-hangzhou`.' }),
    target: z.string().meta({ description: 'The policy’s target.' }),
    contentLength: z.int().nullable().meta({
      description:
        'The exact `Content-Length`, in bytes, which HTTP clients send by themselves. `null` when any length is accepted.',
    }),
    expires: z.int().meta({ description: 'Seconds from `serverTime` until the URL expires.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the URL expires.' }),
    expiresLimitedBy: z.enum(['request', 'rule', 'credentials', 'maximum']).meta({
      description:
        'The cause of the expiry: the request, the rule’s default, the expiry of the cloud credentials, or the maximum of OSS (604,800 s).',
    }),
    serverTime: z.iso
      .datetime()
      .meta({ description: 'When the URL was signed, by the clock of the service.' }),
  })
  .readonly();

export type UploadGrant = z.output<typeof uploadGrant>;
