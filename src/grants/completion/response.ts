import { z } from 'zod';
import { TRANSFERS } from '../../policy/actions.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import type { GrantedUpload } from '../upload-id.ts';

const transfer = z.enum(TRANSFERS).meta({ description: 'How the bytes were to be sent.' });
const key = z.string().meta({ description: 'The object key.' });

/** Parts of a multipart upload that follow one another. */
export const partRange = z
  .strictObject({
    from: z.int().meta({ description: 'The number of the first part.' }),
    to: z.int().meta({ description: 'The number of the last part.' }),
  })
  .readonly();

/**
 * The body of the 200 of `POST /v1/uploads/status`, and the source of its part of `openapi.yaml`.
 */
export const uploadStatus = z
  .strictObject({
    state: z.enum(['stored', 'absent']).meta({
      description: '`stored`: the object is in the bucket, as granted. `absent`: it is not there.',
    }),
    transfer,
    key,
    contentLength: z.int().nullable().meta({
      description:
        'Bytes: of the object if it is stored, otherwise the length that was granted. `null` when it is absent and several lengths were granted.',
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
  .readonly();

export type CompletedUpload = z.output<typeof completedUpload>;

/** Describes the state of an upload. */
export function statusOfUpload(
  { transfer, key, contentLength: { min, max } }: GrantedUpload,
  stored: StoredObject | undefined,
): UploadStatus {
  if (stored) return { state: 'stored', transfer, key, contentLength: stored.contentLength };
  return { state: 'absent', transfer, key, contentLength: min === max ? min : null };
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
