import type { ObjectRecord } from '../objects/object-file.ts';
import { digestHeaders } from '../objects/object-response.ts';
import type { BucketRequest } from '../operations/operation.ts';
import { fillInBody, usesVariable, type VariableValues } from './fill-in-body.ts';
import { readImageInfo } from './image-info.ts';
import type { Callback } from './read-callback.ts';

/**
 * Makes the callback of an object that has just been stored, and sends the JSON of its response as
 * the response to the upload.
 * @throws OssError `CallbackFailed`, with the headers of the object set. It stays stored.
 */
export async function sendCallbackResult(
  call: BucketRequest,
  callback: Callback,
  { record, operation }: { readonly record: ObjectRecord; readonly operation: string },
): Promise<void> {
  const { response, callbacks, store, bucket } = call;
  for (const [name, value] of Object.entries(digestHeaders(record))) response.setHeader(name, value);
  const image = usesVariable(callback, 'imageInfo.') ? await readImageInfo(store, bucket, record) : new Map();
  const body = fillInBody(callback, new Map([...objectVariables(call, record, operation), ...image]));
  const json = await callbacks.call(callback, body);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': json.length }).end(json);
}

/** The variables that OSS documents, besides those of images. There is no VPC here. */
function objectVariables(
  { bucket, request, event }: BucketRequest,
  { key, sizeBytes, crc64, contentMd5, headers, etag }: ObjectRecord,
  operation: string,
): VariableValues {
  return new Map<string, string | number>([
    ['bucket', bucket],
    ['object', key],
    // With its quotes, as in the sample of OSS's documentation.
    ['etag', `"${etag}"`],
    ['size', sizeBytes],
    ['mimeType', Buffer.from(headers['content-type'] ?? '', 'latin1').toString()],
    ['crc64', crc64],
    ['contentMd5', contentMd5 ?? ''],
    ['clientIp', (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')],
    ['reqId', event.requestId],
    ['operation', operation],
  ]);
}
