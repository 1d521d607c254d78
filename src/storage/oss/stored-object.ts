import { CRC64, MAX_CRC64 } from '../crc64.ts';
import type { StoredObject } from '../object-storage.ts';
import { METADATA_PREFIX } from './object-headers.ts';

/** OSS quotes ETags. They are MD5 in hex, or another hash and the number of parts. */
const ETAG = /^"([\w.+/=-]{1,128})"$/;
const LENGTH = /^(?:0|[1-9]\d{0,15})$/;
const MD5 = /^[A-Za-z0-9+/]{22}==$/;
const VERSION_ID = /^[\w.+/=-]{1,255}$/;
/** The only form of a date that senders may use (RFC 9110 5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const OBJECT_TYPE = /^[A-Za-z]{1,32}$/;
const OBJECT_TYPES: ReadonlyMap<string, StoredObject['objectType']> = new Map([
  ['Normal', 'normal'],
  ['Multipart', 'multipart'],
  ['Appendable', 'appendable'],
  ['Symlink', 'symlink'],
]);

/** A response that contradicts the documentation of OSS: the name of the header that does so. */
export type ObjectFault = { readonly fault: string };

/**
 * Reads the response of OSS to HeadObject. The headers that OSS makes are checked strictly: a
 * duplicated header, which fetch joins with a comma, is a fault. The headers that an uploader chose
 * can be anything, so none of them is a fault: no uploader can make the storage look broken.
 * Source: OSS HeadObject.
 */
export function readStoredObject(headers: Headers): StoredObject | ObjectFault {
  const faults: string[] = [];
  const read = (name: string, pattern: RegExp): string | undefined => {
    const value = headers.get(name);
    if (value === null) return undefined;
    const match = pattern.exec(value);
    if (!match) faults.push(name);
    return match?.[1] ?? match?.[0];
  };
  const readRequired = (name: string, pattern: RegExp): string => {
    if (!headers.has(name)) faults.push(name);
    return read(name, pattern) ?? '';
  };
  const readText = (name: string): string | undefined => {
    const value = headers.get(name);
    return value === null ? undefined : utf8Of(value);
  };

  const contentLength = Number(readRequired('content-length', LENGTH));
  if (!Number.isSafeInteger(contentLength)) faults.push('content-length');
  const crc64 = read('x-oss-hash-crc64ecma', CRC64);
  if (crc64 !== undefined && BigInt(crc64) > MAX_CRC64) faults.push('x-oss-hash-crc64ecma');
  const lastModified = new Date(readRequired('last-modified', HTTP_DATE));
  if (Number.isNaN(lastModified.getTime())) faults.push('last-modified');
  const versionId = read('x-oss-version-id', VERSION_ID);
  const metadata: Record<string, string> = Object.create(null);
  for (const [name] of headers)
    if (name.startsWith(METADATA_PREFIX)) metadata[name.slice(METADATA_PREFIX.length)] = readText(name) ?? '';
  const object: StoredObject = {
    contentLength,
    contentType: readText('content-type'),
    metadata,
    cacheControl: readText('cache-control'),
    contentDisposition: readText('content-disposition'),
    contentEncoding: readText('content-encoding'),
    expires: readText('expires'),
    contentMd5: read('content-md5', MD5),
    etag: readRequired('etag', ETAG),
    crc64,
    objectType: OBJECT_TYPES.get(read('x-oss-object-type', OBJECT_TYPE) ?? '') ?? 'unknown',
    isDownloadForced: headers.get('x-oss-force-download') === 'true',
    // `null` is the version from the time without versions, which an upload can still replace.
    versionId: versionId === 'null' ? undefined : versionId,
    lastModified,
  };
  return faults[0] === undefined ? object : { fault: faults[0] };
}

/** An object that is stored, but whose description cannot be read. It equals no granted object. */
export function unreadableObject(): StoredObject {
  return {
    contentLength: 0,
    contentType: undefined,
    metadata: {},
    cacheControl: undefined,
    contentDisposition: undefined,
    contentEncoding: undefined,
    expires: undefined,
    contentMd5: undefined,
    etag: '',
    crc64: undefined,
    objectType: 'unknown',
    isDownloadForced: false,
    versionId: undefined,
    lastModified: new Date(0),
  };
}

/**
 * fetch returns each byte of a header as one character. Bytes that are not UTF-8 become U+FFFD,
 * which no grant contains.
 */
function utf8Of(value: string): string {
  if (/^[\t -~]*$/.test(value)) return value;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
}
