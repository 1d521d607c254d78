import { createHash, randomBytes } from 'node:crypto';
import { OssError } from '../oss-error.ts';
import { createChunkCollector } from './chunk-collector.ts';
import { createCrc64 } from './crc64.ts';
import type { ObjectRecord } from './object-file.ts';
import type { Draft, ObjectStore } from './object-store.ts';
import { MAX_BODY_BYTES, type PutHeaders } from './put-headers.ts';

/** The bucket that stores an object. */
export type StoringBucket = {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly isVersioned: boolean;
  readonly clock: () => Date;
};

const collectChunks = createChunkCollector();

/**
 * Streams the bytes of an object to disk, and stores the object once all of them have arrived and
 * `confirm` has accepted them. After any error the bucket is as it was.
 * @throws OssError `FileAlreadyExists`, `EntityTooLarge` over 5 GB, an error of `confirm`, or the
 *   error of a body that ends early.
 */
export async function storeBody(
  { store, bucket, isVersioned, clock }: StoringBucket,
  object: {
    readonly key: string;
    readonly headers: PutHeaders;
    readonly body: AsyncIterable<Uint8Array>;
    /** Checks what has arrived. Called once, after the last byte. */
    readonly confirm: (md5: Buffer, sizeBytes: number) => void | Promise<void>;
    /** Default: the MD5 in upper-case hex, as of PutObject. */
    readonly etag?: string;
    readonly symlinkTarget?: string;
  },
): Promise<ObjectRecord> {
  const { key, body, confirm } = object;
  const { acl, served } = object.headers;
  // With versions, nothing is overwritten, and OSS ignores x-oss-forbid-overwrite.
  const mayReplace = object.headers.mayReplace || isVersioned;
  if (!mayReplace && (await store.has(bucket, key))) throw new OssError('fileAlreadyExists');

  const draft = await store.draft(bucket);
  try {
    const { md5, crc64, sizeBytes } = await writeBody(draft, body);
    await confirm(md5, sizeBytes);
    const record: ObjectRecord = {
      key,
      sizeBytes,
      etag: object.etag ?? md5.toString('hex').toUpperCase(),
      contentMd5: md5.toString('base64'),
      crc64,
      lastModifiedAt: clock().toUTCString(),
      acl,
      ...(isVersioned && { versionId: newVersionId() }),
      ...(object.symlinkTarget !== undefined && { symlinkTarget: object.symlinkTarget }),
      headers: served,
    };
    if (!(await draft.commit(record, mayReplace))) throw new OssError('fileAlreadyExists');
    return record;
  } finally {
    await draft.discard();
  }
}

/**
 * Streams a body to disk and computes its checksums on the way.
 * @throws OssError `EntityTooLarge` over 5 GB, or the error of a body that ends early.
 */
export async function writeBody(
  draft: Draft,
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly md5: Buffer; readonly crc64: string; readonly sizeBytes: number }> {
  const md5 = createHash('md5');
  const crc64 = createCrc64();
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new OssError('entityTooLarge');
    md5.update(chunk);
    crc64.update(chunk);
    await draft.write(chunk);
    collectChunks(chunk.length);
  }
  return { md5: md5.digest(), crc64: crc64.digest(), sizeBytes };
}

/** A random id of a version, as long as those of OSS. */
export function newVersionId(): string {
  return `CAEQ${randomBytes(24).toString('hex')}`;
}
