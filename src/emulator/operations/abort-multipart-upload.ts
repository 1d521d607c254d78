import { OssError } from '../oss-error.ts';
import { createReader } from './list-parameters.ts';
import type { ObjectOperation } from './operation.ts';

/**
 * AbortMultipartUpload: removes a multipart upload with its parts.
 * @throws OssError `NoSuchUpload` if the id is unknown or has ended.
 */
export const abortMultipartUpload: ObjectOperation = async ({ uploads, bucket, key, wire, response }) => {
  const id = createReader(wire.query)('uploadId') ?? '';
  const upload = uploads.find(bucket, key, id);
  const isAborted = upload !== undefined && (await uploads.abort(upload));
  if (!isAborted) throw new OssError('noSuchUpload', { UploadId: id });
  response.writeHead(204).end();
};
