import { createHash } from 'node:crypto';
import { createPieceCollector } from '../objects/chunk-reclaimer.ts';
import { createCrc64 } from '../objects/crc64.ts';
import type { ObjectRecord, ObjectStore } from '../objects/object-store.ts';
import { readPutHeaders } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';

const collectPieces = createPieceCollector();
const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

export type PutInput = {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Starts the body: only now may a client that waits for `100 Continue` be told to go on. */
  readonly readBody: () => AsyncIterable<Uint8Array>;
  readonly clock: () => Date;
};

/**
 * PutObject: streams the body to disk in pieces and puts the object in place only when all of it is there and its MD5 is what
 * `Content-MD5` says. Whatever goes wrong before leaves the bucket as it was. Everything that can be refused without the body
 * is refused before it is read.
 * @throws OssError, or whatever the body throws when it breaks off.
 */
export async function putObject(input: PutInput): Promise<ObjectRecord> {
  const { store, bucket, key, headers, readBody, clock } = input;
  checkLength(headers);
  const wantedMd5 = readContentMd5(headers.get('content-md5'));
  const { acl, mayReplace, served } = readPutHeaders(headers);
  if (!mayReplace && (await store.has(bucket, key))) throw new OssError('fileAlreadyExists');

  const md5 = createHash('md5');
  const crc64 = createCrc64();
  let sizeBytes = 0;
  const draft = await store.draft(bucket);
  try {
    for await (const bytes of readBody()) {
      sizeBytes += bytes.length;
      if (sizeBytes > MAX_OBJECT_BYTES) throw new OssError('entityTooLarge');
      md5.update(bytes);
      crc64.update(bytes);
      await draft.write(bytes);
      collectPieces(bytes.length);
    }
    const digest = md5.digest();
    if (wantedMd5 && !wantedMd5.equals(digest)) throw new OssError('contentMd5Wrong');
    const record: ObjectRecord = {
      key,
      sizeBytes,
      etag: digest.toString('hex').toUpperCase(),
      contentMd5: digest.toString('base64'),
      crc64: crc64.digest(),
      lastModifiedAt: clock().toUTCString(),
      acl,
      headers: served,
    };
    if (!(await draft.commit(record, mayReplace))) throw new OssError('fileAlreadyExists');
    return record;
  } finally {
    await draft.discard();
  }
}

function checkLength(headers: ReadonlyMap<string, string>): void {
  const length = headers.get('content-length');
  if (length === undefined && !headers.has('transfer-encoding')) throw new OssError('missingContentLength');
  if (Number(length ?? 0) > MAX_OBJECT_BYTES) throw new OssError('entityTooLarge');
}

function readContentMd5(text: string | undefined): Buffer | null {
  if (text === undefined) return null;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text)) throw new OssError('contentMd5Malformed');
  return Buffer.from(text, 'base64');
}
