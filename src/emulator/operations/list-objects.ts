import { type ListingEntry, selectPage } from '../objects/object-listing.ts';
import { objectType } from '../objects/object-response.ts';
import { renderXml, type XmlElement } from '../xml.ts';
import {
  createReader,
  optional,
  readCount,
  readEncoding,
  readText,
  rejectParameter,
} from './list-parameters.ts';
import type { BucketOperation } from './operation.ts';

const DEFAULT_MAX_KEYS = 100;
const OWNER: XmlElement = [
  'Owner',
  [
    ['ID', '1000000000000001'],
    ['DisplayName', '1000000000000001'],
  ],
];

/**
 * ListObjects, and ListObjectsV2 with `list-type=2` (OSS help: "ListObjects", "ListObjectsV2").
 * @throws OssError `InvalidArgument` for a parameter that OSS does not accept.
 */
export const listObjects: BucketOperation = async (call) => {
  const read = createReader(call.wire.query);
  const isV2 = read('list-type') === '2';
  const [prefix, delimiter] = [readText(read, 'prefix'), readText(read, 'delimiter')];
  const marker = readText(read, isV2 ? 'start-after' : 'marker');
  const token = isV2 ? read('continuation-token') : undefined;
  const maxKeys = readCount(read, 'max-keys', DEFAULT_MAX_KEYS);
  const encode = readEncoding(read);

  const { entries, isTruncated } = await selectPage(call.store.list(call.bucket), {
    prefix,
    delimiter,
    after: marker,
    // A marker of version 1 can be the common prefix with which the previous page ended.
    afterEntry: isV2 ? readToken(token) : '',
    ...(!isV2 && delimiter !== '' && marker.endsWith(delimiter) && { afterEntry: marker }),
    maxEntries: maxKeys,
  });
  const next = isTruncated ? (entries.at(-1)?.name ?? '') : '';
  const hasOwner = !isV2 || read('fetch-owner') === 'true';
  const elements: XmlElement[] = [
    ['Name', call.bucket],
    ['Prefix', encode(prefix)],
    [isV2 ? 'StartAfter' : 'Marker', encode(marker)],
    ['MaxKeys', String(maxKeys)],
    ['Delimiter', encode(delimiter)],
    ...optional('EncodingType', read('encoding-type')),
    ['IsTruncated', String(isTruncated)],
    ...optional('ContinuationToken', token),
    ...(isV2 ? optional('NextContinuationToken', makeToken(next)) : optional('NextMarker', encode(next))),
    ...(isV2 ? ([['KeyCount', String(entries.length)]] as const) : []),
    ...entries.map((entry) => describeEntry(entry, encode, hasOwner)),
  ];
  const xml = Buffer.from(renderXml(['ListBucketResult', elements]));
  call.response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': xml.length }).end(xml);
};

/** A token has no characters that an encoding changes. */
function makeToken(entry: string): string {
  return Buffer.from(entry).toString('base64url');
}

function readToken(token: string | undefined): string {
  if (token === undefined || token === '') return '';
  const entry = Buffer.from(token, 'base64url').toString();
  if (makeToken(entry) !== token) rejectParameter('continuation-token', token);
  return entry;
}

function describeEntry(
  { name, record }: ListingEntry,
  encode: (text: string) => string,
  hasOwner: boolean,
): XmlElement {
  if (record === null) return ['CommonPrefixes', [['Prefix', encode(name)]]];
  return [
    'Contents',
    [
      ['Key', encode(name)],
      ['LastModified', new Date(record.lastModifiedAt).toISOString()],
      ['ETag', `"${record.etag}"`],
      ['Type', objectType(record)],
      ['Size', String(record.sizeBytes)],
      ['StorageClass', record.headers['x-oss-storage-class'] ?? 'Standard'],
      ...(hasOwner ? [OWNER] : []),
    ],
  ];
}
