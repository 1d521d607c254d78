import { readRequestCallback } from '../callbacks/read-callback.ts';
import { sendCallbackResult } from '../callbacks/send-callback-result.ts';
import { digestHeaders } from '../objects/object-response.ts';
import { checkBodyLength, readContentMd5, readPutHeaders } from '../objects/put-headers.ts';
import { storeBody } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import type { ObjectOperation } from './operation.ts';
import { streamBody } from './read-body.ts';

/**
 * PutObject: streams the body to disk, and stores the object once all of it has arrived and its MD5
 * is that of `Content-MD5`. After any error the bucket is as it was. Every check that does not need
 * the body is done before the body is read. A callback is made after the object is stored.
 * @throws OssError, or the error of a body that ends early.
 */
export const putObject: ObjectOperation = async (call) => {
  const { headers, query } = call.wire;
  checkBodyLength(headers);
  const expectedMd5 = readContentMd5(headers.get('content-md5'));
  const callback = readRequestCallback(headers, query, call.callbacks.allowPrivateAddresses);
  const record = await storeBody(call, {
    key: call.key,
    headers: readPutHeaders(headers),
    body: streamBody(call),
    confirm: (md5) => {
      if (expectedMd5 && !expectedMd5.equals(md5)) throw new OssError('contentMd5Wrong');
    },
  });
  call.event.bytes = record.sizeBytes;
  if (callback) return sendCallbackResult(call, callback, { record, operation: 'PutObject' });
  call.response.writeHead(200, { ...digestHeaders(record), 'Content-Length': 0 }).end();
};
