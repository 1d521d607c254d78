import { selectUploads, type UploadEntry } from '../multipart/upload-listing.ts';
import { renderXml, type XmlElement } from '../xml.ts';
import { createReader, optional, readCount, readEncoding, readText } from './list-parameters.ts';
import type { BucketOperation } from './operation.ts';

const MAX_UPLOADS = 1000;

/**
 * ListMultipartUploads: a page of the multipart uploads of a bucket that are under way.
 * @throws OssError `InvalidArgument` for a parameter that OSS does not accept.
 */
export const listMultipartUploads: BucketOperation = async ({ uploads, bucket, wire, response }) => {
  const read = createReader(wire.query);
  const [prefix, delimiter] = [readText(read, 'prefix'), readText(read, 'delimiter')];
  const keyMarker = readText(read, 'key-marker');
  const uploadIdMarker = readText(read, 'upload-id-marker');
  const maxEntries = readCount(read, 'max-uploads', MAX_UPLOADS);
  const encode = readEncoding(read);

  const filter = { prefix, delimiter, keyMarker, uploadIdMarker, maxEntries };
  const { entries, isTruncated } = selectUploads(uploads.list(bucket), filter);
  const last = isTruncated ? entries.at(-1) : undefined;
  const xml = Buffer.from(
    renderXml([
      'ListMultipartUploadsResult',
      [
        ...optional('EncodingType', read('encoding-type')),
        ['Bucket', bucket],
        ['KeyMarker', encode(keyMarker)],
        ['UploadIdMarker', uploadIdMarker],
        ['NextKeyMarker', encode(last?.name ?? '')],
        ['NextUploadIdMarker', last?.upload?.id ?? ''],
        ['Delimiter', encode(delimiter)],
        ['Prefix', encode(prefix)],
        ['MaxUploads', String(maxEntries)],
        ['IsTruncated', String(isTruncated)],
        ...entries.map((entry) => describe(entry, encode)),
      ],
    ]),
  );
  response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': xml.length }).end(xml);
};

function describe({ name, upload }: UploadEntry, encode: (text: string) => string): XmlElement {
  if (upload === null) return ['CommonPrefixes', [['Prefix', encode(name)]]];
  return [
    'Upload',
    [
      ['Key', encode(name)],
      ['UploadId', upload.id],
      ['StorageClass', upload.headers.served['x-oss-storage-class'] ?? 'Standard'],
      ['Initiated', upload.initiatedAt.toISOString()],
    ],
  ];
}
