import { OssError } from '../oss-error.ts';
import { renderXml } from '../xml.ts';
import { createReader, optional, readCount, readEncoding, rejectParameter } from './list-parameters.ts';
import type { ObjectOperation } from './operation.ts';

const MAX_PARTS = 1000;

/**
 * ListParts: a page of the parts of a multipart upload, by their numbers.
 * @throws OssError `NoSuchUpload`, or `InvalidArgument` for a parameter that OSS does not accept.
 */
export const listParts: ObjectOperation = async ({ uploads, bucket, key, wire, response }) => {
  const read = createReader(wire.query);
  const maxParts = readCount(read, 'max-parts', MAX_PARTS);
  const marker = readMarker(read('part-number-marker'));
  const encode = readEncoding(read);
  const id = read('uploadId') ?? '';
  const upload = uploads.find(bucket, key, id);
  if (!upload) throw new OssError('noSuchUpload', { UploadId: id });

  const rest = [...upload.parts.values()]
    .filter(({ partNumber }) => partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = rest.slice(0, maxParts);
  const xml = Buffer.from(
    renderXml([
      'ListPartsResult',
      [
        ...optional('EncodingType', read('encoding-type')),
        ['Bucket', bucket],
        ['Key', encode(key)],
        ['UploadId', id],
        ['StorageClass', upload.headers.served['x-oss-storage-class'] ?? 'Standard'],
        ['PartNumberMarker', String(marker)],
        ['NextPartNumberMarker', String(page.at(-1)?.partNumber ?? marker)],
        ['MaxParts', String(maxParts)],
        ['IsTruncated', String(rest.length > page.length)],
        ...page.map(
          ({ partNumber, uploadedAt, etag, crc64, sizeBytes }) =>
            [
              'Part',
              [
                ['PartNumber', String(partNumber)],
                ['LastModified', uploadedAt.toISOString()],
                ['ETag', `"${etag}"`],
                ['HashCrc64ecma', crc64],
                ['Size', String(sizeBytes)],
              ],
            ] as const,
        ),
      ],
    ]),
  );
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': xml.length }).end(xml);
};

function readMarker(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) rejectParameter('part-number-marker', text);
  return Number(text);
}
