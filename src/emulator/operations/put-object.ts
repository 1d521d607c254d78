import { digestHeaders } from '../objects/object-response.ts';
import { readContentMd5, readPutHeaders } from '../objects/put-headers.ts';
import { MAX_OBJECT_BYTES, storeBody } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import type { ObjectOperation, ObjectRequest } from './operation.ts';

/**
 * PutObject: streams the body to disk, and stores the object once all of it has arrived and its MD5
 * is that of `Content-MD5`. After any error the bucket is as it was. Every check that does not need
 * the body is done before the body is read.
 * @throws OssError, or the error of a body that ends early.
 */
export const putObject: ObjectOperation = async (call) => {
  const { headers } = call.wire;
  checkLength(headers);
  const expectedMd5 = readContentMd5(headers.get('content-md5'));
  const record = await storeBody(call, {
    key: call.key,
    headers: readPutHeaders(headers),
    body: readBody(call),
    confirm: (md5) => {
      if (expectedMd5 && !expectedMd5.equals(md5)) throw new OssError('contentMd5Wrong');
    },
  });
  call.event.bytes = record.sizeBytes;
  call.response.writeHead(200, { ...digestHeaders(record), 'Content-Length': 0 }).end();
};

/** Asks the client for the body, if it waits to be asked, when the first chunk is wanted. */
async function* readBody({ request, response, awaitsContinue }: ObjectRequest): AsyncGenerator<Uint8Array> {
  if (awaitsContinue) response.writeContinue();
  yield* request.iterator({ destroyOnReturn: false });
}

function checkLength(headers: ReadonlyMap<string, string>): void {
  const length = headers.get('content-length');
  if (length === undefined && !headers.has('transfer-encoding')) throw new OssError('missingContentLength');
  if (Number(length ?? 0) > MAX_OBJECT_BYTES) throw new OssError('entityTooLarge');
}
