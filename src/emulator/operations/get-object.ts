import { pipeline } from 'node:stream/promises';
import { createChunkCollector } from '../objects/chunk-collector.ts';
import { isOssHost } from '../objects/object-response.ts';
import { openForReading } from '../objects/open-for-reading.ts';
import { OssError } from '../oss-error.ts';
import type { ObjectOperation } from './operation.ts';

const collectChunks = createChunkCollector();

/**
 * GetObject: sends the object, or the range of it that was requested.
 * @throws OssError `ApkDownloadForbidden` for an app on a host of OSS itself, and as any read.
 */
export const getObject: ObjectOperation = async (call) => {
  const { response, event } = call;
  const isApp = /\.(?:apk|ipa)$/i.test(call.key);
  if (isApp && isOssHost(call.wire.headers.get('host'))) throw new OssError('apkDownloadForbidden');
  const { object, outcome } = await openForReading(call);
  try {
    const { status, headers, range } = outcome;
    // A body of any other length breaks off the connection.
    response.strictContentLength = true;
    response.writeHead(status, headers);
    if (range === null) {
      response.end();
      return;
    }
    await pipeline(object.read(range), collecting, response);
    event.bytes = range.end - range.start + 1;
  } finally {
    await object.close();
  }
};

async function* collecting(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    collectChunks(chunk.length);
  }
}
