import { type ListingEntry, selectPage } from '../objects/object-listing.ts';
import { OssError } from '../oss-error.ts';
import { renderXml, type XmlElement } from '../xml.ts';
import type { BucketOperation, BucketRequest } from './operation.ts';

const DEFAULT_MAX_KEYS = 100;
const MAX_MAX_KEYS = 1000;
const MAX_TEXT_BYTES = 1023;
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
  const read = createReader(call);
  const isV2 = read('list-type') === '2';
  const [prefix, delimiter] = [readText(read, 'prefix'), readText(read, 'delimiter')];
  const marker = readText(read, isV2 ? 'start-after' : 'marker');
  const token = isV2 ? read('continuation-token') : undefined;
  const maxKeys = readMaxKeys(read('max-keys'));
  const encode = readEncoding(read('encoding-type'));

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

type Reader = (name: string) => string | undefined;

function createReader({ wire }: BucketRequest): Reader {
  const parameters = new Map(wire.query.map(({ name, value }) => [name, value]));
  return (name) => parameters.get(name);
}

function readText(read: Reader, name: string): string {
  const text = read(name) ?? '';
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) reject(name, text);
  return text;
}

function readMaxKeys(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_MAX_KEYS;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MAX_MAX_KEYS) reject('max-keys', text);
  return count;
}

function readEncoding(type: string | undefined): (text: string) => string {
  if (type === undefined || type === '') return (text) => text;
  if (type.toLowerCase() !== 'url') reject('encoding-type', type);
  return encodeURIComponent;
}

/** A token has no characters that an encoding changes. */
function makeToken(entry: string): string {
  return Buffer.from(entry).toString('base64url');
}

function readToken(token: string | undefined): string {
  if (token === undefined || token === '') return '';
  const entry = Buffer.from(token, 'base64url').toString();
  if (makeToken(entry) !== token) reject('continuation-token', token);
  return entry;
}

function optional(name: string, value: string | undefined): readonly XmlElement[] {
  return value === undefined || value === '' ? [] : [[name, value]];
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
      ['Type', record.symlinkTarget === undefined ? 'Normal' : 'Symlink'],
      ['Size', String(record.sizeBytes)],
      ['StorageClass', record.headers['x-oss-storage-class'] ?? 'Standard'],
      ...(hasOwner ? [OWNER] : []),
    ],
  ];
}

function reject(name: string, value: string): never {
  throw new OssError('invalidArgument', { ArgumentName: name, ArgumentValue: value });
}
