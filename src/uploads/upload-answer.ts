import { z } from 'zod';
import { jsonMember, jsonText } from '../json-text.ts';

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

/** The answer as JSON. Its URL is one that was signed, in which everything that JSON would escape is percent-encoded. */
export function uploadAnswerText(answer: UploadAnswer): string {
  const { method, url, key, bucket, region, target, contentLength } = answer;
  const { expires, expiresAt, expiresLimitedBy, serverTime } = answer;
  let headers = '';
  for (const name in answer.headers) {
    const separator = headers === '' ? '' : ',';
    headers = `${headers}${separator}"${jsonText(name)}":"${jsonText(answer.headers[name] as string)}"`;
  }
  const place = `${jsonMember('key', key)}${jsonMember('bucket', bucket)}${jsonMember('region', region)}${jsonMember('target', target)}`;
  const life = `"expires":${expires},"expiresAt":"${expiresAt}","expiresLimitedBy":"${expiresLimitedBy}"`;
  return `{"method":"${method}","url":"${url}","headers":{${headers}}${place},"contentLength":${contentLength},${life},"serverTime":"${serverTime}"}`;
}
