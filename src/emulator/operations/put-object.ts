import { createHash } from 'node:crypto';
import { createChunkCollector } from '../objects/chunk-collector.ts';
import { createCrc64 } from '../objects/crc64.ts';
import { digestHeaders } from '../objects/object-response.ts';
import type { ObjectRecord } from '../objects/object-store.ts';
import { readPutHeaders } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';
import type { ObjectOperation, ObjectRequest } from './operation.ts';

const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

const collectChunks = createChunkCollector();

/**
 * PutObject: streams the body to disk, and stores the object once all of it has arrived and its MD5
 * is that of `Content-MD5`. After any error the bucket is as it was. Every check that does not need
 * the body is done before the body is read.
 * @throws OssError, or the error of a body that ends early.
 */
export const putObject: ObjectOperation = async (call) => {
  const record = await storeObject(call);
  call.event.bytes = record.sizeBytes;
  call.response.writeHead(200, { ...digestHeaders(record), 'Content-Length': 0 }).end();
};

async function storeObject(call: ObjectRequest): Promise<ObjectRecord> {
  const { store, clock, bucket, key } = call;
  const { headers } = call.wire;
  checkLength(headers);
  const expectedMd5 = readContentMd5(headers.get('content-md5'));
  const { acl, mayReplace, served } = readPutHeaders(headers);
  if (!mayReplace && (await store.has(bucket, key))) throw new OssError('fileAlreadyExists');

  const md5 = createHash('md5');
  const crc64 = createCrc64();
  let sizeBytes = 0;
  const draft = await store.draft(bucket);
  try {
    for await (const chunk of readBody(call)) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_OBJECT_BYTES) throw new OssError('entityTooLarge');
      md5.update(chunk);
      crc64.update(chunk);
      await draft.write(chunk);
      collectChunks(chunk.length);
    }
    const digest = md5.digest();
    if (expectedMd5 && !expectedMd5.equals(digest)) throw new OssError('contentMd5Wrong');
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

function readBody({ request, response, awaitsContinue }: ObjectRequest): AsyncIterable<Uint8Array> {
  if (awaitsContinue) response.writeContinue();
  return request.iterator({ destroyOnReturn: false });
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
