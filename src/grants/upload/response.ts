import { z } from 'zod';

const commonFields = {
  id: z.string().optional().meta({
    description:
      'The upload id, with which the upload can be confirmed. Treat it as a secret. Missing if the rule has `receipts: false`.',
  }),
  idExpiresAt: z.iso
    .datetime()
    .optional()
    .meta({ description: 'When the upload id expires: 24 hours after the URL or form.' }),
  key: z.string().meta({ description: 'The object key.' }),
  bucket: z.string().meta({ description: 'The name of the bucket.' }),
  region: z.string().meta({ description: 'The region of the bucket, such as `cn-hangzhou`.' }),
  target: z.string().meta({ description: 'The policy’s target.' }),
  contentLength: z.int().nullable().meta({
    description:
      'The exact length in bytes, as requested. `null` when the storage accepts any length, or any up to `maxContentLength`.',
  }),
  expires: z.int().meta({ description: 'Seconds from `serverTime` until the URL or form expires.' }),
  expiresAt: z.iso.datetime().meta({ description: 'When the URL or form expires.' }),
  expiresLimitedBy: z.enum(['request', 'rule', 'credentials', 'maximum']).meta({
    description:
      'The cause of the expiry: the request, the rule’s default, the expiry of the cloud credentials, or the maximum of OSS (604,800 s).',
  }),
  serverTime: z.iso
    .datetime()
    .meta({ description: 'When the URL or form was signed, by the clock of the service.' }),
};

/**
 * `method`, `url`, `headers` and `expires` mean what they mean to Uppy's S3 plugin. `fields` is
 * never present: Uppy would switch to form uploads.
 */
export const putGrant = z
  .strictObject({
    transfer: z.literal('put').meta({ description: 'The bytes are sent in one PUT.' }),
    method: z.literal('PUT').meta({ description: 'The method to send the bytes with.' }),
    url: z
      .string()
      .meta({ description: 'The presigned URL. Anyone who has it may upload, so treat it as a secret.' }),
    headers: z.record(z.string(), z.string()).meta({
      description:
        'Each header that the client has to set, unchanged. Setting exactly these works from every HTTP client, which sends `Content-Length` by itself.',
    }),
    ...commonFields,
  })
  .readonly()
  .meta({ id: 'PutGrant' });

export const formGrant = z
  .strictObject({
    transfer: z
      .literal('form')
      .meta({ description: 'The bytes are sent as a file of a form (`multipart/form-data`).' }),
    method: z.literal('POST').meta({ description: 'The method to send the form with.' }),
    url: z.string().meta({ description: 'The address to send the form to.' }),
    fields: z.record(z.string(), z.string()).meta({
      description:
        'Each field that the client has to send before the file, unchanged and in any order. Anyone who has them may upload, so treat them as a secret.',
    }),
    fileField: z.string().meta({ description: 'The name of the field of the file, which is sent last.' }),
    ...commonFields,
  })
  .readonly()
  .meta({ id: 'FormGrant' });

const multipartGrant = z
  .strictObject({
    transfer: z
      .literal('multipart')
      .meta({ description: 'The bytes are sent in parts, whose URLs `POST /v1/uploads/parts` signs.' }),
    partSize: z.int().meta({ description: 'The bytes of each part but the last one, which has the rest.' }),
    partCount: z.int().meta({ description: 'The number of parts. They are numbered from 1.' }),
    ...commonFields,
    id: z.string().meta({
      description:
        'The upload id, with which the upload is continued, confirmed or given up. Treat it as a secret.',
    }),
    idExpiresAt: z.iso.datetime().meta({ description: 'When the upload id expires.' }),
    contentLength: z.int().meta({ description: 'The exact length in bytes, as requested.' }),
    expires: z.int().meta({ description: 'Seconds from `serverTime` until the upload id expires.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the upload id expires.' }),
    expiresLimitedBy: z
      .literal('rule')
      .meta({ description: 'The cause of the expiry: the rule’s `uploadExpiresIn`.' }),
    serverTime: z.iso.datetime().meta({ description: 'When the upload began, by the clock of the service.' }),
  })
  .readonly()
  .meta({ id: 'MultipartGrant' });

/** The body of the 201 of `POST /v1/uploads`, and the source of its part of `openapi.yaml`. */
export const uploadGrant = z.discriminatedUnion('transfer', [putGrant, formGrant, multipartGrant]).meta({
  // OpenAPI's own keyword, which code generators need.
  discriminator: {
    propertyName: 'transfer',
    mapping: {
      put: '#/components/schemas/PutGrant',
      form: '#/components/schemas/FormGrant',
      multipart: '#/components/schemas/MultipartGrant',
    },
  },
});

export type UploadGrant = z.output<typeof uploadGrant>;
export type PutGrant = z.output<typeof putGrant>;
export type FormGrant = z.output<typeof formGrant>;
export type MultipartGrant = z.output<typeof multipartGrant>;
