import { z } from 'zod';
import { TRANSFERS } from '../../policy/actions.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import { partsOf } from '../multipart/parts.ts';
import type { GrantedUpload } from '../upload-id.ts';
import type { PartProgress } from './part-progress.ts';

const transfer = z.enum(TRANSFERS).meta({ description: 'How the bytes were to be sent.' });
const key = z.string().meta({ description: 'The object key.' });

/** Parts of a multipart upload that follow one another. */
export const partRange = z
  .strictObject({
    from: z.int().meta({ description: 'The number of the first part.' }),
    to: z.int().meta({ description: 'The number of the last part.' }),
  })
  .readonly();

const storedPart = z
  .strictObject({
    partNumber: z.int().meta({ description: 'The number of the part; the first one is 1.' }),
    contentLength: z.int().meta({ description: 'The bytes of the part.' }),
    etag: z.string().meta({ description: 'The ETag of the part, without quotation marks.' }),
  })
  .readonly();

/**
 * The body of the 200 of `POST /v1/uploads/status`, and the source of its part of `openapi.yaml`.
 */
export const uploadStatus = z
  .strictObject({
    state: z.enum(['open', 'stored', 'absent']).meta({
      description:
        '`open`: a multipart upload is under way, and was not completed. `stored`: the object is in the bucket, as granted. `absent`: it is not there, and no multipart upload is under way.',
    }),
    transfer,
    key,
    contentLength: z.int().nullable().meta({
      description:
        'Bytes: of the object if it is stored, otherwise the length that was granted. `null` when it is absent and several lengths were granted.',
    }),
    partSize: z.int().optional().meta({
      description: 'Bytes of each part but the last one. Only of a multipart upload.',
    }),
    partCount: z.int().optional().meta({
      description: 'How many parts the object has. Only of a multipart upload.',
    }),
    parts: z.array(storedPart).readonly().optional().meta({
      description:
        'The parts of the grant that are stored with their exact length, in ascending order. Only when `state` is `open`.',
    }),
    missing: z.array(partRange).readonly().optional().meta({
      description:
        'The parts that have to be sent, in ascending order: all that are not in `parts`. Empty if the upload can be completed. Only when `state` is `open`.',
    }),
  })
  .readonly();

export type UploadStatus = z.output<typeof uploadStatus>;

/**
 * The body of the 200 of `POST /v1/uploads/complete`, and the source of its part of `openapi.yaml`.
 */
export const completedUpload = z
  .strictObject({
    state: z.literal('stored').meta({ description: 'The object is in the bucket, as granted.' }),
    transfer,
    key,
    bucket: z.string().meta({ description: 'The name of the bucket.' }),
    region: z.string().meta({ description: 'The region of the bucket.' }),
    target: z.string().meta({ description: 'The policy’s target.' }),
    contentLength: z.int().meta({ description: 'The bytes of the object.' }),
    contentType: z.string().meta({ description: 'The content type of the object.' }),
    etag: z.string().meta({ description: 'The ETag of the object, without quotation marks.' }),
    crc64: z.string().optional().meta({
      description: 'The CRC-64/ECMA of the bytes, an unsigned number in decimal, if OSS has one.',
    }),
    versionId: z
      .string()
      .optional()
      .meta({ description: 'The version of the object; only in a bucket with versions.' }),
    lastModified: z.iso.datetime().meta({ description: 'When the object was stored, by the clock of OSS.' }),
    receipt: z.string().meta({
      description:
        'A JWT (`typ` `upload-receipt+jwt`, ES256) that a backend verifies with `/.well-known/jwks.json`.',
    }),
  })
  .readonly()
  .meta({ id: 'CompletedUpload' });

export type CompletedUpload = z.output<typeof completedUpload>;

/** Describes the state of an upload, as the check of the upload found it. */
export function statusOfUpload(
  { transfer, key, contentLength: { min, max }, multipart }: GrantedUpload,
  check:
    | { readonly outcome: 'stored'; readonly stored: StoredObject }
    | { readonly outcome: 'absent' }
    | ({ readonly outcome: 'open' } & PartProgress),
): UploadStatus {
  const granted = min === max ? min : null;
  return {
    state: check.outcome,
    transfer,
    key,
    contentLength: check.outcome === 'stored' ? check.stored.contentLength : granted,
    ...(multipart && {
      partSize: multipart.partSize,
      partCount: partsOf(min, multipart.partSize).partCount,
    }),
    ...(check.outcome === 'open' && { parts: check.done, missing: check.missing }),
  };
}

/** Describes a stored object that matches its grant. */
export function describeCompleted(
  { transfer, key, bucket, region, target, contentType }: GrantedUpload,
  stored: StoredObject,
  receipt: string,
): CompletedUpload {
  const { contentLength, etag, crc64, versionId, lastModified } = stored;
  return {
    state: 'stored',
    transfer,
    key,
    bucket,
    region,
    target,
    contentLength,
    contentType,
    etag,
    ...(crc64 !== undefined && { crc64 }),
    ...(versionId !== undefined && { versionId }),
    lastModified: isoSeconds(Math.floor(lastModified.getTime() / 1000)),
    receipt,
  };
}
