import { z } from 'zod';

const amount = z.int().nullable();

/** The 200 of `GET /v1/policy`: what this caller may upload; the source of its part of `openapi.yaml`. */
export const policyAnswer = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        name: z.string(),
        target: z.string(),
        bucket: z.string(),
        region: z.string(),
        prefix: z.string().meta({ description: 'What every key of this rule begins with, for this caller.' }),
        naming: z
          .enum(['client', 'server', 'either'])
          .meta({ description: 'Who names the object: client (key), server (filename), or either.' }),
        keepFilename: z.boolean().meta({
          description: 'Whether Content-Disposition offers the object under its file name (with filename).',
        }),
        contentTypes: z.array(z.string()).meta({
          description:
            'Media types and ranges. A range matches registered (IANA) types only, and none that browsers run.',
        }),
        maxSize: amount.meta({
          description: 'Bytes; null when unlimited, and then contentLength may be left out.',
        }),
        expiresIn: z.strictObject({ default: z.int(), max: z.int() }).meta({ description: 'Seconds.' }),
        metadata: z.strictObject({ allowed: z.array(z.string()), required: z.array(z.string()) }),
        overwrite: z.boolean(),
        clientHeaders: z.array(z.string()).meta({
          description: 'Which of cacheControl, contentDisposition and contentEncoding may be sent.',
        }),
        limits: z.strictObject({ requestsPerMinute: amount, bytesPerDay: amount }),
      }),
    )
    .meta({ description: 'In the order in which they are tried; empty when nothing may be uploaded.' }),
});
