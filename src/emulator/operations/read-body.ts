import { createHash } from 'node:crypto';
import { readContentMd5 } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';
import type { BucketRequest } from './operation.ts';

/** Asks the client for the body, if it waits to be asked, when the first chunk is wanted. */
export async function* streamBody({
  request,
  response,
  awaitsContinue,
}: Pick<BucketRequest, 'request' | 'response' | 'awaitsContinue'>): AsyncGenerator<Uint8Array> {
  if (awaitsContinue) response.writeContinue();
  yield* request.iterator({ destroyOnReturn: false });
}

/**
 * Reads a whole body that is a document, and compares it with `Content-MD5`.
 * @throws OssError `MalformedXML` if it is too long, `InvalidDigest`, or the error of a body that
 *   ends early.
 */
export async function readDocument(call: BucketRequest, maxBytes: number): Promise<Buffer> {
  const expectedMd5 = readContentMd5(call.wire.headers.get('content-md5'));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of streamBody(call)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new OssError('malformedXml');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (expectedMd5 && !expectedMd5.equals(createHash('md5').update(body).digest())) {
    throw new OssError('contentMd5Wrong');
  }
  return body;
}
