import { z } from 'zod';
import { problemSchema } from '../plugins/problem-json.ts';

const key = z.string().meta({ description: 'The object key.' });
const target = z.string().meta({ description: 'The policy’s target.' });
const method = z.literal('GET').meta({ description: 'The method to read the object with.' });
const url = z.string().meta({
  description: 'The presigned URL. Anyone who has it may read the object, so treat it as a secret.',
});
const expires = z.int().meta({ description: 'Seconds from `serverTime` until the URL expires.' });
const expiresAt = z.iso.datetime().meta({ description: 'When the URL expires.' });
const expiresLimitedBy = z.enum(['request', 'rule', 'credentials', 'maximum']).meta({
  description:
    'The cause of the expiry: the request, the rule’s default, the expiry of the cloud credentials, or the maximum of OSS (604,800 s).',
});
const serverTime = z.iso
  .datetime()
  .meta({ description: 'When the request was decided, by the clock of the service.' });

const granted = z.literal(200).meta({ description: 'The key is granted.' });
const denied = z.literal(403).meta({ description: 'The policy denies this key.' });

/** The body of the 200 for one `key`. */
const oneDownload = z
  .strictObject({
    ...{ key, target, method, url },
    ...{ expires, expiresAt, expiresLimitedBy, serverTime },
  })
  .meta({ id: 'DownloadGrant' });

/** The body of the 200 for `keys`. */
const manyDownloads = z
  .strictObject({
    items: z
      .array(
        z.union([
          z.strictObject({ key, status: granted, target, method, url }),
          z.object({ key, ...problemSchema.shape, status: denied }),
        ]),
      )
      .meta({ description: 'One item for each key, in the order of the request.' }),
    expires: expires.nullable().meta({
      description: 'Seconds from `serverTime` until all URLs expire. `null` if no key is granted.',
    }),
    expiresAt: expiresAt
      .nullable()
      .meta({ description: 'When all URLs expire. `null` if no key is granted.' }),
    expiresLimitedBy: expiresLimitedBy
      .nullable()
      .meta({ description: 'The cause of the expiry, as for one object. `null` if no key is granted.' }),
    serverTime,
  })
  .meta({ id: 'DownloadList' });

/** The body of the 200 of `POST /v1/downloads`, and the source of its part of `openapi.yaml`. */
export const downloadGrants = z.union([oneDownload, manyDownloads]);

export type OneDownload = z.output<typeof oneDownload>;
export type ManyDownloads = z.output<typeof manyDownloads>;
