import { pipeline } from 'node:stream/promises';
import { isOssHost } from '../objects/object-response.ts';
import { openForReading } from '../objects/open-for-reading.ts';
import { OssError } from '../oss-error.ts';
import type { ObjectOperation } from './operation.ts';

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
    response.writeHead(status, headers);
    if (range === null) {
      response.end();
      return;
    }
    await pipeline(object.read(range), response);
    event.bytes = range.end - range.start + 1;
  } finally {
    await object.close();
  }
};
