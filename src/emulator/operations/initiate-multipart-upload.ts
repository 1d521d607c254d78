import { readPutHeaders } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';
import { renderXml } from '../xml.ts';
import { createReader, optional, readEncoding } from './list-parameters.ts';
import type { ObjectOperation } from './operation.ts';
import { readDocument } from './read-body.ts';

/**
 * InitiateMultipartUpload: responds with the id of a new multipart upload. The object will have
 * the type, the metadata and the other attributes of this request. The body is empty.
 * @throws OssError as PutObject, `FileAlreadyExists` too if the object exists and must not be
 *   overwritten.
 */
export const initiateMultipartUpload: ObjectOperation = async (call) => {
  const { store, uploads, bucket, key, response, wire, clock } = call;
  const read = createReader(wire.query);
  const encode = readEncoding(read);
  const headers = readPutHeaders(wire.headers);
  await readDocument(call, 0);
  const mayReplace = headers.mayReplace || call.isVersioned;
  if (!mayReplace && (await store.has(bucket, key))) throw new OssError('fileAlreadyExists');
  const { id } = await uploads.initiate({ bucket, key, headers, initiatedAt: clock() });
  const xml = Buffer.from(
    renderXml([
      'InitiateMultipartUploadResult',
      [
        ...optional('EncodingType', read('encoding-type')),
        ['Bucket', bucket],
        ['Key', encode(key)],
        ['UploadId', id],
      ],
    ]),
  );
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': xml.length }).end(xml);
};
