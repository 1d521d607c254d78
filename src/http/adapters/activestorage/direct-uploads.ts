import { z } from 'zod';
import { ServiceError } from '../../../errors.ts';
import type { CallerContext } from '../../../grants/grant.ts';
import { requireObject } from '../../../grants/request-faults.ts';
import { boundedText, MD5, MD5_FAULT } from '../../../grants/request-fields.ts';
import { uploadRequestBody } from '../../../grants/upload/request.ts';
import { decideUpload } from '../../../policy/decide-upload.ts';
import type { UploadRequest } from '../../../policy/upload-request.ts';
import {
  createGrantUpload,
  GRANTED_STATUS,
  type GrantUploadDependencies,
  grantResponse,
} from '../../grants/grant-upload.ts';
import { deniedBy } from '../../grants/outcome.ts';
import { callerContextOf } from '../../plugins/authentication.ts';
import type { Route } from '../../routes/route.ts';
import { type ForeignFormat, parseForeignRequest, withForeignPointers } from '../foreign-request.ts';

const { filename, contentType } = uploadRequestBody.shape;

const blob = z.object({
  filename: filename.unwrap().meta({ description: 'The service creates the key, with its extension.' }),
  content_type: contentType,
  byte_size: z
    .int('must be a whole number of bytes')
    .min(0, 'must not be negative')
    .meta({ description: 'The exact length in bytes.' }),
  checksum: boundedText(24, MD5_FAULT)
    .regex(MD5, MD5_FAULT)
    .meta({ description: 'Base64 of the MD5. The storage rejects other bytes.' }),
  metadata: z
    .looseObject({})
    .nullish()
    .meta({ description: 'Ignored: the metadata of Rails is not stored with the object.' }),
});

const FORMAT: ForeignFormat<typeof blob> = {
  schema: blob,
  at: '/blob',
  remedies: {
    checksum: 'send the base64 of the MD5 of the file, as @rails/activestorage does.',
    byte_size: 'send the exact length of the file in bytes.',
    content_type: 'send the media type of the file, such as application/octet-stream.',
  },
};

const POINTERS = {
  '/filename': '/blob/filename',
  '/contentType': '/blob/content_type',
  '/contentLength': '/blob/byte_size',
  '/contentMd5': '/blob/checksum',
};

const directUpload = z
  .strictObject({
    signed_id: z.string().meta({ description: 'The upload id, which the form submits. A secret.' }),
    key: z.string().meta({ description: 'The object key.' }),
    filename: z.string().meta({ description: 'As sent.' }),
    content_type: z.string().meta({ description: 'As sent.' }),
    byte_size: z.int().meta({ description: 'As sent.' }),
    checksum: z.string().meta({ description: 'As sent.' }),
    bucket: z.string().meta({ description: 'The name of the bucket.' }),
    target: z.string().meta({ description: 'The policy’s target.' }),
    idExpiresAt: z.iso.datetime().meta({ description: 'When `signed_id` expires.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the URL expires.' }),
    serverTime: z.iso.datetime().meta({ description: 'When the URL was signed.' }),
    direct_upload: z.strictObject({
      url: z.string().meta({ description: 'The presigned URL. A secret.' }),
      headers: z
        .record(z.string(), z.string())
        .meta({ description: 'Each header that the client has to set, unchanged.' }),
    }),
  })
  .meta({ description: 'A blob as `@rails/activestorage` reads it.' });

const REQUEST_EXAMPLE = {
  blob: {
    filename: 'photo.png',
    content_type: 'image/png',
    byte_size: 48_213,
    checksum: 'XrY7u+Ae7tCTyyK7j1rNww==',
  },
};

const RESPONSE_EXAMPLE = {
  signed_id: 'eyJ2IjoxfQ.4rU8k1n3Zq0mS5tX2wYcVb7dEfGhJkLmNoPqRsTuVwA',
  key: 'users/alice/019ab000-0000-7000-8000-000000000001.png',
  ...REQUEST_EXAMPLE.blob,
  bucket: 'acme-media',
  target: 'media',
  idExpiresAt: '2026-11-24T10:10:00Z',
  expiresAt: '2026-11-23T10:10:00Z',
  serverTime: '2026-11-23T10:00:00Z',
  direct_upload: {
    url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/019ab000-0000-7000-8000-000000000001.png?x-oss-signature=…',
    headers: { 'Content-Type': 'image/png', 'Content-MD5': 'XrY7u+Ae7tCTyyK7j1rNww==' },
  },
};

/** `POST /v1/adapters/activestorage/direct_uploads`: what `@rails/activestorage` calls. */
export const directUploads: Route<GrantUploadDependencies> = {
  method: 'POST',
  path: '/v1/adapters/activestorage/direct_uploads',
  isPublic: false,
  openapi: {
    operationId: 'createDirectUpload',
    tag: 'Uploads',
    summary: 'Request permission to upload one file, for @rails/activestorage',
    requestBody: {
      name: 'DirectUploadRequest',
      schema: z.object({ blob }),
      example: REQUEST_EXAMPLE,
    },
    responses: {
      [GRANTED_STATUS]: {
        description: 'Granted. PUT the bytes to `direct_upload.url` with exactly `direct_upload.headers`.',
        content: { name: 'DirectUpload', schema: directUpload, example: RESPONSE_EXAMPLE },
      },
    },
    problems: ['invalid_request', 'policy_denied', 'body_too_large', 'unsupported_media_type'],
  },
  handler: (dependencies) => {
    const grantUpload = createGrantUpload(dependencies);
    return async (request, reply) => {
      const sent = parseForeignRequest(FORMAT, blobOf(request.body));
      const upload: UploadRequest = {
        filename: sent.filename,
        transfer: 'put',
        contentType: sent.content_type,
        contentLength: sent.byte_size,
        contentMd5: sent.checksum,
        metadata: {},
        overwrite: false,
        isFromFixedClient: true,
      };
      const callerContext = callerContextOf(request);
      const granted = await withForeignPointers(POINTERS, () =>
        grantUpload(request, reply, withUploadIds(callerContext), upload).catch((error: unknown) => {
          throw withoutUploadId(error, callerContext, upload);
        }),
      );
      const { response } = granted;
      if (response.transfer !== 'put' || response.id === undefined || response.idExpiresAt === undefined)
        throw new Error('A PUT of a rule with receipts has no upload id.');
      const json: z.output<typeof directUpload> = {
        signed_id: response.id,
        key: response.key,
        filename: sent.filename,
        content_type: sent.content_type,
        byte_size: sent.byte_size,
        checksum: sent.checksum,
        bucket: response.bucket,
        target: response.target,
        idExpiresAt: response.idExpiresAt,
        expiresAt: response.expiresAt,
        serverTime: response.serverTime,
        direct_upload: { url: response.url, headers: response.headers },
      };
      return grantResponse(granted, json);
    };
  },
};

function blobOf(body: unknown): unknown {
  const sent = requireObject(body);
  const described = Object.hasOwn(sent, 'blob') ? (sent as { readonly blob: unknown }).blob : undefined;
  if (typeof described === 'object' && described !== null && !Array.isArray(described)) return described;
  const code = described === undefined ? 'required' : 'invalid_type';
  const detail =
    code === 'required'
      ? 'blob is required: an object with filename, content_type, byte_size and checksum.'
      : 'blob must be an object.';
  throw new ServiceError('invalid_request', detail, { errors: [{ pointer: '/blob', code, detail }] });
}

/** Leaves out rules without receipts: they have no upload id for `signed_id`. */
function withUploadIds(callerContext: CallerContext): CallerContext {
  const { policy } = callerContext;
  if (policy.rules.every(({ receipts }) => receipts)) return callerContext;
  return { ...callerContext, policy: { ...policy, rules: policy.rules.filter(({ receipts }) => receipts) } };
}

/** Names the cause if a rule without receipts is the only one that allows the upload. */
function withoutUploadId(error: unknown, { policy, caller }: CallerContext, upload: UploadRequest): unknown {
  if (!(error instanceof ServiceError) || error.code !== 'policy_denied') return error;
  if (!decideUpload(policy, caller, upload, () => '').allowed) return error;
  const detail =
    'The rule for this upload has "receipts: false", so there is no upload id for signed_id; the operator has to allow receipts, or the client has to use POST /v1/uploads.';
  return deniedBy([{ pointer: '', code: 'no_matching_rule', detail }]);
}
