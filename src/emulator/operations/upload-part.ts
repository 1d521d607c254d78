import { readPartNumber } from '../multipart/part-number.ts';
import { checkBodyLength, readContentMd5 } from '../objects/put-headers.ts';
import { writeBody } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import { createReader } from './list-parameters.ts';
import type { ObjectOperation } from './operation.ts';
import { streamBody } from './read-body.ts';

const TRAFFIC_LIMIT = 'x-oss-traffic-limit';
/** Bits per second. The emulator does not limit anything. */
const [MIN_TRAFFIC_LIMIT, MAX_TRAFFIC_LIMIT] = [819_200, 838_860_800];

/**
 * UploadPart: streams the body to disk as one part of a multipart upload, in the place of an
 * earlier part with its number. The minimum size is checked by CompleteMultipartUpload only.
 * @throws OssError, or the error of a body that ends early. The upload is then as it was.
 */
export const uploadPart: ObjectOperation = async (call) => {
  const { store, uploads, bucket, key, wire, response, event, clock } = call;
  const read = createReader(wire.query);
  const [id, number] = [read('uploadId'), read('partNumber')];
  if (id === undefined || number === undefined) throw new OssError('partNumberMissing');
  const partNumber = readPartNumber(number);
  checkPartHeaders(wire.headers);
  checkTrafficLimit(wire.headers.get(TRAFFIC_LIMIT), read(TRAFFIC_LIMIT));
  checkBodyLength(wire.headers);
  const expectedMd5 = readContentMd5(wire.headers.get('content-md5'));
  const upload = uploads.find(bucket, key, id);
  if (!upload) throw new OssError('noSuchUploadOfPart', { UploadId: id });

  const draft = await store.draft(bucket);
  try {
    const { md5, crc64, sizeBytes } = await writeBody(draft, streamBody(call));
    if (expectedMd5 && !expectedMd5.equals(md5)) throw new OssError('contentMd5Wrong');
    const etag = md5.toString('hex').toUpperCase();
    const part = { partNumber, sizeBytes, etag, crc64, uploadedAt: clock() };
    const isAdded = await uploads.addPart(upload, part, draft);
    if (!isAdded) throw new OssError('noSuchUploadOfPart', { UploadId: id });
    event.bytes = sizeBytes;
    response
      .writeHead(200, {
        ETag: `"${etag}"`,
        'Content-MD5': md5.toString('base64'),
        'x-oss-hash-crc64ecma': crc64,
        'Content-Length': 0,
      })
      .end();
  } finally {
    await draft.discard();
  }
};

function checkPartHeaders(headers: ReadonlyMap<string, string>): void {
  // UploadPartCopy
  if (headers.has('x-oss-copy-source')) throw new OssError('notImplemented', { Header: 'x-oss-copy-source' });
  for (const [name, value] of headers) {
    if (!/^x-oss-server-side-(?:data-)?encryption/.test(name)) continue;
    throw new OssError('invalidArgument', { ArgumentName: name, ArgumentValue: value });
  }
}

function checkTrafficLimit(inHeader: string | undefined, inQuery: string | undefined): void {
  if (inHeader !== undefined && inQuery !== undefined) throw new OssError('trafficLimitTwice');
  const limit = inHeader ?? inQuery;
  if (limit === undefined) return;
  const bits = /^\d{1,9}$/.test(limit) ? Number(limit) : 0;
  if (bits >= MIN_TRAFFIC_LIMIT && bits <= MAX_TRAFFIC_LIMIT) return;
  throw new OssError('trafficLimitInvalid', { ArgumentName: TRAFFIC_LIMIT, ArgumentValue: limit });
}
