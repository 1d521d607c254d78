import type { z } from 'zod';
import { type ErrorCode, ServiceError } from '../../errors.ts';
import {
  notificationFailed,
  uploadAbsent,
  uploadIdExpired,
  uploadIdInvalid,
  uploadIncomplete,
  uploadMismatch,
} from '../../grants/completion/rejections.ts';
import type { CompletedUpload, UploadStatus } from '../../grants/completion/response.ts';
import type { SignedParts } from '../../grants/multipart/parts-response.ts';
import { objectExists } from '../../grants/object-exists.ts';
import { storageFailure } from '../../grants/storage-failure.ts';
import { parseUploadRequestBody } from '../../grants/upload/request.ts';
import type { FormGrant, MultipartGrant, PutGrant } from '../../grants/upload/response.ts';
import { itemProblem } from '../grants/batch-items.ts';
import { deniedBy, limitReached } from '../grants/outcome.ts';
import { OVERLOADED } from '../load-control/load-shedder.ts';
import { toProblem, toServiceError } from '../plugins/problem-json.ts';
import type { UploadBatchGrants } from '../routes/batch-response.ts';
import type { callerPolicy } from '../routes/caller-policy.ts';
import type { downloadGrants } from '../routes/downloads-response.ts';
import type { publicKeySet } from '../routes/jwks.ts';

/** A request that the policy of {@link POLICY_EXAMPLE} grants. */
export const REQUEST_EXAMPLE = {
  key: 'users/alice/photo.png',
  contentType: 'image/png',
  contentLength: 48_213,
} as const;

/** The fields of every grant of {@link REQUEST_EXAMPLE}. */
const GRANTED = {
  key: 'users/alice/photo.png',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  target: 'media',
  contentLength: 48_213,
  expires: 600,
  expiresAt: '2026-11-23T10:10:00Z',
  expiresLimitedBy: 'rule',
  serverTime: '2026-11-23T10:00:00Z',
} as const;

/** The grant of {@link REQUEST_EXAMPLE}. */
export const GRANT_EXAMPLE: PutGrant = {
  transfer: 'put',
  method: 'PUT',
  url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/photo.png?x-oss-additional-headers=content-length&x-oss-credential=EXAMPLE&x-oss-date=20261123T100000Z&x-oss-expires=600&x-oss-signature=EXAMPLE&x-oss-signature-version=OSS4-HMAC-SHA256',
  headers: {
    'Content-Type': 'image/png',
    'Content-Disposition': 'attachment',
    'Cache-Control': 'private, no-cache',
    'x-oss-forbid-overwrite': 'true',
  },
  ...GRANTED,
};

/** The grant of {@link REQUEST_EXAMPLE} with `"transfer": "form"`. */
export const FORM_GRANT_EXAMPLE: FormGrant = {
  transfer: 'form',
  method: 'POST',
  url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/',
  fields: {
    key: 'users/alice/photo.png',
    'x-oss-content-type': 'image/png',
    'Content-Disposition': 'attachment',
    'Cache-Control': 'private, no-cache',
    'x-oss-forbid-overwrite': 'true',
    success_action_status: '200',
    'x-oss-object-acl': 'default',
    'x-oss-storage-class': 'Standard',
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': 'EXAMPLE',
    'x-oss-date': '20261123T100000Z',
    policy: 'EXAMPLE',
    'x-oss-signature': 'EXAMPLE',
  },
  fileField: 'file',
  ...GRANTED,
};

/** A request for three uploads, of which the policy of {@link POLICY_EXAMPLE} grants the first. */
export const BATCH_REQUEST_EXAMPLE = {
  items: [
    REQUEST_EXAMPLE,
    { key: 'users/bob/photo.png', contentType: 'image/png', contentLength: 48_213 },
    { key: 'users/alice/notes.png', contentType: 'image/png', contentLength: 1, maxContentLength: 2 },
  ],
} as const;

/** The response to {@link BATCH_REQUEST_EXAMPLE}. */
export const BATCH_EXAMPLE: UploadBatchGrants = {
  items: [
    { status: 201, ...GRANT_EXAMPLE },
    itemProblem(
      deniedBy([
        {
          pointer: '/key',
          code: 'key_outside_prefix',
          detail: 'The key must begin with "users/alice/".',
        },
      ]),
      1,
      '019ab0c4-7f3a-7000-8000-000000000001',
    ),
    itemProblem(
      rejectionOf({
        key: 'users/alice/notes.png',
        contentType: 'image/png',
        contentLength: 1,
        maxContentLength: 2,
      }),
      2,
      '019ab0c4-7f3a-7000-8000-000000000001',
    ),
  ],
};

/** The id of a grant; shortened. */
export const UPLOAD_ID_EXAMPLE = 'AQEBAAtvd24tZmlsZXM.EXAMPLE';

/** The grant of a multipart upload. */
export const MULTIPART_GRANT_EXAMPLE: MultipartGrant = {
  transfer: 'multipart',
  partSize: 8_388_608,
  partCount: 3,
  id: UPLOAD_ID_EXAMPLE,
  idExpiresAt: '2026-11-30T10:00:00Z',
  key: 'users/alice/film.mp4',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  target: 'media',
  contentLength: 20_000_000,
  expires: 604_800,
  expiresAt: '2026-11-30T10:00:00Z',
  expiresLimitedBy: 'rule',
  serverTime: '2026-11-23T10:00:00Z',
};

/** A request for parts of the upload of {@link MULTIPART_GRANT_EXAMPLE}. */
export const PARTS_REQUEST_EXAMPLE = {
  id: UPLOAD_ID_EXAMPLE,
  partNumbers: [1, 3],
  contentMd5: { '3': '1B2M2Y8AsgTpgAmY7PhCfg==' },
} as const;

/** The response to {@link PARTS_REQUEST_EXAMPLE}. */
export const SIGNED_PARTS_EXAMPLE: SignedParts = {
  parts: [
    {
      partNumber: 1,
      offset: 0,
      contentLength: 8_388_608,
      method: 'PUT',
      url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/film.mp4?partNumber=1&uploadId=EXAMPLE&x-oss-additional-headers=content-length&x-oss-credential=EXAMPLE&x-oss-date=20261123T100000Z&x-oss-expires=3600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=EXAMPLE',
      headers: {},
    },
    {
      partNumber: 3,
      offset: 16_777_216,
      contentLength: 3_222_784,
      method: 'PUT',
      url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/film.mp4?partNumber=3&uploadId=EXAMPLE&x-oss-additional-headers=content-length&x-oss-credential=EXAMPLE&x-oss-date=20261123T100000Z&x-oss-expires=3600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=EXAMPLE',
      headers: { 'Content-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==' },
    },
  ],
  expires: 3600,
  expiresAt: '2026-11-23T11:00:00Z',
  expiresLimitedBy: 'rule',
  serverTime: '2026-11-23T10:00:00Z',
};

/** The state of the upload of {@link REQUEST_EXAMPLE}. */
export const STATUS_EXAMPLE: UploadStatus = {
  state: 'stored',
  transfer: 'put',
  key: 'users/alice/photo.png',
  contentLength: 48_213,
};

/** The state of a multipart upload of which two parts are missing. */
export const OPEN_STATUS_EXAMPLE: UploadStatus = {
  state: 'open',
  transfer: 'multipart',
  key: 'users/alice/film.mp4',
  contentLength: 20_000_000,
  partSize: 8_388_608,
  partCount: 3,
  parts: [{ partNumber: 2, contentLength: 8_388_608, etag: '5D41402ABC4B2A76B9719D911017C592' }],
  missing: [
    { from: 1, to: 1 },
    { from: 3, to: 3 },
  ],
};

/** The confirmation of the upload of {@link REQUEST_EXAMPLE}. */
export const COMPLETED_EXAMPLE: CompletedUpload = {
  state: 'stored',
  transfer: 'put',
  key: 'users/alice/photo.png',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  target: 'media',
  contentLength: 48_213,
  contentType: 'image/png',
  etag: '5D41402ABC4B2A76B9719D911017C592',
  crc64: '9962105210321023210',
  lastModified: '2026-11-23T10:01:12Z',
  receipt: 'eyJhbGciOiJFUzI1NiIsInR5cCI6InVwbG9hZC1yZWNlaXB0K2p3dCJ9.EXAMPLE.EXAMPLE',
};

/** A request for one object, which is saved under another name. */
export const DOWNLOAD_REQUEST_EXAMPLE = { key: 'users/alice/photo.png', filename: '假期.png' } as const;

/** The grant of {@link DOWNLOAD_REQUEST_EXAMPLE}. */
export const DOWNLOAD_EXAMPLE: z.output<typeof downloadGrants> = {
  key: 'users/alice/photo.png',
  target: 'media',
  method: 'GET',
  url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/photo.png?response-content-disposition=attachment%3B%20filename%3D%22%3F%3F.png%22%3B%20filename%2A%3DUTF-8%27%27%25E5%2581%2587%25E6%259C%259F.png&x-oss-credential=EXAMPLE&x-oss-date=20261123T100000Z&x-oss-expires=600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=EXAMPLE',
  expires: 600,
  expiresAt: '2026-11-23T10:10:00Z',
  expiresLimitedBy: 'rule',
  serverTime: '2026-11-23T10:00:00Z',
};

/** A request for two objects, of which the policy of {@link POLICY_EXAMPLE} grants the first. */
export const DOWNLOADS_REQUEST_EXAMPLE = {
  keys: ['users/alice/photo.png', 'users/bob/photo.png'],
} as const;

/** The response to {@link DOWNLOADS_REQUEST_EXAMPLE}. */
export const DOWNLOADS_EXAMPLE: z.output<typeof downloadGrants> = {
  items: [
    {
      key: 'users/alice/photo.png',
      status: 200,
      target: 'media',
      method: 'GET',
      url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/photo.png?response-content-disposition=attachment&x-oss-credential=EXAMPLE&x-oss-date=20261123T100000Z&x-oss-expires=600&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=EXAMPLE',
    },
    {
      key: 'users/bob/photo.png',
      ...toProblem(
        deniedBy([
          {
            pointer: '/keys/1',
            code: 'key_outside_prefix',
            detail: 'The key must begin with "users/alice/".',
          },
        ]),
        '019ab0c4-7f3a-7000-8000-000000000001',
      ),
      status: 403,
    },
  ],
  expires: 600,
  expiresAt: '2026-11-23T10:10:00Z',
  expiresLimitedBy: 'rule',
  serverTime: '2026-11-23T10:00:00Z',
};

/** The public key of RFC 7517 A.1. */
export const JWKS_EXAMPLE: z.output<typeof publicKeySet> = {
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
      use: 'sig',
      alg: 'ES256',
    },
  ],
};

export const POLICY_EXAMPLE: z.output<typeof callerPolicy> = {
  rules: [
    {
      name: 'own-files',
      actions: ['upload', 'download'],
      target: 'media',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      prefix: 'users/alice/',
      naming: 'either',
      keepFilename: false,
      transfers: ['put'],
      contentTypes: ['image/*', 'video/mp4', 'application/pdf'],
      maxSize: 52_428_800,
      expiresIn: { default: 600, max: 3600 },
      metadata: { allowed: ['album', 'camera'], required: [] },
      overwrite: false,
      clientHeaders: ['cacheControl'],
      limits: { requestsPerMinute: 60, bytesPerDay: 5_368_709_120 },
    },
  ],
  downloads: [
    {
      name: 'own-files',
      target: 'media',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      prefix: 'users/alice/',
      expiresIn: { default: 600, max: 3600 },
      inline: false,
      limits: { requestsPerMinute: 60 },
    },
  ],
};

/**
 * Rejections of each code, by the name of the example. Those of an invalid request come from
 * validating one.
 */
export function rejectionExamples(): Readonly<Record<ErrorCode, Readonly<Record<string, ServiceError>>>> {
  return {
    invalid_request: {
      required: rejectionOf({ key: 'users/alice/photo.png' }),
      unknown_field: rejectionOf({ ...REQUEST_EXAMPLE, content_length: 48_213 }),
      invalid_type: rejectionOf({ ...REQUEST_EXAMPLE, contentLength: '48213' }),
      invalid_value: rejectionOf({ ...REQUEST_EXAMPLE, contentType: '', metadata: { album: '假期' } }),
      conflict: rejectionOf({ ...REQUEST_EXAMPLE, filename: 'photo.png' }),
    },
    unauthenticated: {
      no_token: new ServiceError(
        'unauthenticated',
        'Send a token in the header Authorization: Bearer <token>.',
      ),
    },
    policy_denied: {
      key_outside_prefix: deniedBy([
        {
          pointer: '/key',
          code: 'key_outside_prefix',
          detail: 'The key must begin with "users/alice/".',
        },
        {
          pointer: '/contentLength',
          code: 'too_large',
          detail: 'The file has 62914560 bytes; at most 52428800 are allowed.',
        },
      ]),
      no_matching_rule: deniedBy([
        {
          pointer: '',
          code: 'no_matching_rule',
          detail:
            'No rule of the policy applies to this caller: the token lacks the scope or claims that a rule requires.',
        },
      ]),
    },
    upload_id_invalid: { upload_id_invalid: uploadIdInvalid() },
    not_found: { not_found: new ServiceError('not_found', 'There is no such file; the page is at /docs.') },
    upload_absent: { upload_absent: uploadAbsent('put') },
    method_not_allowed: { method_not_allowed: new ServiceError('method_not_allowed', 'Use POST here.') },
    upload_mismatch: {
      content_length_mismatch: uploadMismatch([
        {
          pointer: '/contentLength',
          code: 'content_length_mismatch',
          detail: 'The object does not have the length that was granted.',
        },
      ]),
      other_upload: uploadMismatch([
        {
          pointer: '',
          code: 'other_upload',
          detail:
            'The object under this key is the result of another upload; request a new upload with another key.',
        },
      ]),
    },
    upload_incomplete: {
      upload_incomplete: uploadIncomplete(
        [
          { from: 3, to: 3 },
          { from: 7, to: 9 },
        ],
        9,
      ),
    },
    object_exists: { object_exists: objectExists() },
    upload_id_expired: { upload_id_expired: uploadIdExpired() },
    body_too_large: {
      body_too_large: toServiceError({ code: 'FST_ERR_CTP_BODY_TOO_LARGE' }),
    },
    unsupported_media_type: {
      unsupported_media_type: toServiceError({ code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }),
    },
    rate_limited: {
      rate_limited: limitReached({
        allowed: false,
        limitedBy: 'requestsPerMinute',
        limit: 60,
        remaining: 0,
        resetInSeconds: 12,
      }),
    },
    internal: {
      internal: toServiceError(new Error('any error that is not a ServiceError')),
    },
    storage_error: {
      storage_error: storageFailure({ kind: 'denied', details: {} }),
    },
    notification_failed: { notification_failed: notificationFailed(COMPLETED_EXAMPLE) },
    unavailable: { overloaded: OVERLOADED },
  };
}

function rejectionOf(body: object): ServiceError {
  try {
    parseUploadRequestBody(body);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new TypeError('the example of an invalid request is valid');
}
