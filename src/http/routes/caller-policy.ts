import { z } from 'zod';
import { ACTIONS, TRANSFERS } from '../../policy/actions.ts';
import type { DownloadDescription, RuleDescription } from '../../policy/describe-policy.ts';

const amount = z.int().nullable();

/** The body of the 200 of `GET /v1/policy`, and the source of its part of `openapi.yaml`. */
export const callerPolicy = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        name: z.string().meta({ description: 'The name of the rule.' }),
        actions: z.array(z.enum(ACTIONS)).meta({ description: 'The actions of the rule.' }),
        target: z.string().meta({ description: 'The policy’s target.' }),
        bucket: z.string().meta({ description: 'The name of the bucket.' }),
        region: z.string().meta({ description: 'The region of the bucket.' }),
        prefix: z
          .string()
          .meta({ description: 'Every key of this rule must begin with this, for this caller.' }),
        naming: z.enum(['client', 'server', 'either']).meta({
          description: 'Whether the client (`key`), the service (`filename`) or either names the object.',
        }),
        keepFilename: z.boolean().meta({
          description: 'Whether Content-Disposition offers the object under its file name (with filename).',
        }),
        transfers: z.array(z.enum(TRANSFERS)).meta({
          description: 'How the bytes may be sent.',
        }),
        partSize: z.int().optional().meta({
          description: 'Bytes of a part, unless the request names another size. Only with `multipart`.',
        }),
        contentTypes: z.array(z.string()).meta({
          description:
            'Media types and ranges. A range matches registered (IANA) types and WebM, but none that browsers run.',
        }),
        maxSize: amount.meta({
          description: 'Bytes. `null` when unlimited; `contentLength` may then be left out.',
        }),
        expiresIn: z
          .strictObject({ default: z.int(), max: z.int() })
          .meta({ description: 'How long a URL is valid, in seconds.' }),
        metadata: z
          .strictObject({ allowed: z.array(z.string()), required: z.array(z.string()) })
          .meta({ description: 'The metadata names that may and that must be sent.' }),
        overwrite: z.boolean().meta({ description: 'Whether `overwrite: true` is allowed.' }),
        clientHeaders: z.array(z.string()).meta({
          description: 'Which of `cacheControl`, `contentDisposition` and `contentEncoding` may be sent.',
        }),
        limits: z
          .strictObject({ requestsPerMinute: amount, bytesPerDay: amount })
          .meta({ description: 'Per caller. `null` when there is no limit.' }),
      }),
    )
    .meta({
      description: 'In the order in which they are tried. Empty when the caller may not upload anything.',
    }),
  downloads: z
    .array(
      z.strictObject({
        name: z.string().meta({ description: 'The name of the rule.' }),
        target: z.string().meta({ description: 'The policy’s target.' }),
        bucket: z.string().meta({ description: 'The name of the bucket.' }),
        region: z.string().meta({ description: 'The region of the bucket.' }),
        prefix: z
          .string()
          .meta({ description: 'The caller may download every object whose key begins with this.' }),
        expiresIn: z
          .strictObject({ default: z.int(), max: z.int() })
          .meta({ description: 'How long a URL is valid, in seconds.' }),
        inline: z.boolean().meta({ description: 'Whether `"disposition": "inline"` is allowed.' }),
        limits: z
          .strictObject({ requestsPerMinute: amount })
          .meta({ description: 'Per caller. `null` when there is no limit.' }),
      }),
    )
    .meta({
      description: 'In the order in which they are tried. Empty when the caller may not download anything.',
    }),
}) satisfies z.ZodType<{
  readonly rules: readonly RuleDescription[];
  readonly downloads: readonly DownloadDescription[];
}>;
