import { z } from 'zod';
import { boundedText } from '../../../grants/request-fields.ts';
import { uploadRequestBody } from '../../../grants/upload/request.ts';
import type { UploadRequest } from '../../../policy/upload-request.ts';
import {
  createGrantUpload,
  GRANTED_STATUS,
  type GrantUploadDependencies,
  grantResponse,
} from '../../grants/grant-upload.ts';
import { callerContextOf } from '../../plugins/authentication.ts';
import type { Route } from '../../routes/route.ts';
import { type ForeignFormat, parseForeignRequest, withForeignPointers } from '../foreign-request.ts';

const { filename, contentType, cacheControl, target } = uploadRequestBody.shape;

/** An empty string or null means "not given". */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((sent) => (sent === '' || sent === null ? undefined : sent), schema.optional());

const signedUrlRequest = z.object({
  filename: filename.unwrap().meta({ description: 'The service creates the key, with its extension.' }),
  size: z
    .int('must be a whole number of bytes')
    .min(0, 'must not be negative')
    .meta({ description: 'The exact length in bytes.' }),
  content_type: optional(contentType).meta({
    description: 'The media type of the file; `application/octet-stream` if empty.',
  }),
  bucket: optional(target.unwrap()).meta({
    description: 'One of the policy’s targets, to choose among rules; not the name of a bucket.',
  }),
  visibility: optional(
    boundedText(64).refine(
      (sent) => sent === 'private',
      'must be empty or private: the service never makes an object public',
    ),
  ).meta({ description: 'Empty or `private`.' }),
  expires: optional(
    z
      .unknown()
      .refine(
        (sent) => sent === undefined,
        'must be empty: it would set the header Expires of the object. The rule decides how long the URL is valid',
      ),
  ).meta({ description: 'Always empty.' }),
  key: optional(
    z
      .unknown()
      .refine(
        (sent) => sent === undefined,
        'must be left out, because the service creates the key; send filename',
      ),
  ).meta({
    description: 'Left out: the service creates the key.',
  }),
  cache_control: optional(cacheControl.unwrap()).meta({
    description: 'The object’s `Cache-Control`, if the rule’s `clientHeaders` allows it.',
  }),
});

const DATA = 'pass it as in Vapor.store(file, { data: { filename: file.name, size: file.size } }).';

const FORMAT: ForeignFormat<typeof signedUrlRequest> = {
  schema: signedUrlRequest,
  at: '',
  remedies: { filename: DATA, size: DATA },
};

const POINTERS = {
  '/filename': '/filename',
  '/contentType': '/content_type',
  '/contentLength': '/size',
  '/cacheControl': '/cache_control',
  '/target': '/bucket',
};

const signedUrl = z
  .strictObject({
    uuid: z.string().meta({ description: 'The id of the grant: `jti` of the receipt.' }),
    bucket: z.string().meta({ description: 'The name of the bucket.' }),
    key: z.string().meta({ description: 'The object key.' }),
    url: z.string().meta({ description: 'The presigned URL. A secret.' }),
    headers: z
      .record(z.string(), z.string())
      .meta({ description: 'Each header that the client has to set, unchanged.' }),
    id: z.string().optional().meta({
      description: 'The upload id. A secret. Missing if the rule has `receipts: false`.',
    }),
    idExpiresAt: z.iso.datetime().optional().meta({ description: 'When the upload id expires.' }),
    target: z.string().meta({ description: 'The policy’s target.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the URL expires.' }),
    serverTime: z.iso.datetime().meta({ description: 'When the URL was signed.' }),
  })
  .meta({ description: 'A signed URL as `laravel-vapor` reads it.' });

const REQUEST_EXAMPLE = {
  bucket: '',
  content_type: 'image/png',
  expires: '',
  visibility: '',
  filename: 'photo.png',
  size: 48_213,
};

const RESPONSE_EXAMPLE = {
  uuid: '019ab000-0000-7000-8000-000000000001',
  bucket: 'acme-media',
  key: 'users/alice/019ab000-0000-7000-8000-000000000001.png',
  url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/019ab000-0000-7000-8000-000000000001.png?x-oss-signature=…',
  headers: { 'Content-Type': 'image/png', 'x-oss-forbid-overwrite': 'true' },
  id: 'eyJ2IjoxfQ.4rU8k1n3Zq0mS5tX2wYcVb7dEfGhJkLmNoPqRsTuVwA',
  idExpiresAt: '2026-11-24T10:10:00Z',
  target: 'media',
  expiresAt: '2026-11-23T10:10:00Z',
  serverTime: '2026-11-23T10:00:00Z',
};

/** `POST /v1/adapters/vapor/signed-storage-url`: what `laravel-vapor` calls. */
export const signedStorageUrl: Route<GrantUploadDependencies> = {
  method: 'POST',
  path: '/v1/adapters/vapor/signed-storage-url',
  isPublic: false,
  openapi: {
    operationId: 'createSignedStorageUrl',
    tag: 'Uploads',
    summary: 'Request permission to upload one file, for laravel-vapor',
    requestBody: { name: 'SignedStorageUrlRequest', schema: signedUrlRequest, example: REQUEST_EXAMPLE },
    responses: {
      [GRANTED_STATUS]: {
        description: 'Granted. PUT the bytes to `url` with exactly `headers`.',
        content: { name: 'SignedStorageUrl', schema: signedUrl, example: RESPONSE_EXAMPLE },
      },
    },
    problems: ['invalid_request', 'policy_denied', 'body_too_large', 'unsupported_media_type'],
  },
  handler: (dependencies) => {
    const grantUpload = createGrantUpload(dependencies);
    return async (request, reply) => {
      const sent = parseForeignRequest(FORMAT, request.body);
      const upload: UploadRequest = {
        filename: sent.filename,
        transfer: 'put',
        contentType: sent.content_type ?? 'application/octet-stream',
        contentLength: sent.size,
        metadata: {},
        overwrite: false,
        isFromFixedClient: true,
        target: sent.bucket,
        cacheControl: sent.cache_control,
      };
      const granted = await withForeignPointers(POINTERS, () =>
        grantUpload(request, reply, callerContextOf(request), upload),
      );
      const { response, grant } = granted;
      if (response.transfer !== 'put') throw new Error('The grant is not for a PUT.');
      const json: z.output<typeof signedUrl> = {
        uuid: grant.grantId,
        bucket: response.bucket,
        key: response.key,
        url: response.url,
        headers: response.headers,
        id: response.id,
        idExpiresAt: response.idExpiresAt,
        target: response.target,
        expiresAt: response.expiresAt,
        serverTime: response.serverTime,
      };
      return grantResponse(granted, json);
    };
  },
};
