import type { IncomingMessage } from 'node:http';
import type { EmulatorBucket } from './emulator.ts';
import { OssError } from './oss-error.ts';

/** A request as it came over the wire, decoded, before anything about it is believed. */
export type WireRequest = {
  readonly method: string;
  readonly host: string;
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  /** Decoded; a parameter without a value has `''`. */
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name; a header that stands twice is joined with ",". */
  readonly headers: ReadonlyMap<string, string>;
};

/**
 * Takes a request apart. The target is read as it came: URL parsers remove dot segments, which are ordinary in object keys.
 * @throws OssError when it names no bucket, or cannot be decoded.
 */
export function readWireRequest(
  { method = 'GET', url = '/', rawHeaders }: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
  buckets: Readonly<Record<string, EmulatorBucket>>,
): WireRequest {
  const headers = readHeaders(rawHeaders);
  const host = headers.get('host') ?? '';
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const [path = '', query = ''] = splitOnce(target, '?');
  const { bucket, encodedKey } = locate(host, path, buckets);
  return { method, host, bucket, key: decodeKey(encodedKey), query: readQuery(query), headers };
}

function locate(
  host: string,
  path: string,
  buckets: Readonly<Record<string, EmulatorBucket>>,
): { readonly bucket: string; readonly encodedKey: string } {
  const hostname = host.replace(/:\d+$/, '').toLowerCase();
  const encodedKey = path.slice(1);
  const custom = Object.entries(buckets).find(([, { domains }]) => domains?.includes(hostname));
  if (custom) return { bucket: custom[0], encodedKey };
  const [label = '', rest] = splitOnce(hostname, '.');
  if (rest && !/^[\d.]+$/.test(hostname) && Object.hasOwn(buckets, label))
    return { bucket: label, encodedKey };
  const [bucket = '', key = ''] = splitOnce(encodedKey, '/');
  if (!Object.hasOwn(buckets, bucket)) throw new OssError('noSuchBucket', { BucketName: bucket });
  return { bucket, encodedKey: key };
}

function readHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    // Node hands header bytes on as Latin-1; OSS and its SDKs take them as UTF-8.
    const value = Buffer.from(rawHeaders[index + 1] ?? '', 'latin1')
      .toString('utf8')
      .trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

function readQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const [name, value] = splitOnce(part, '=').map((piece) => decode(piece.replaceAll('+', ' ')));
    if (name === undefined || query.has(name))
      throw new OssError('repeatedParameter', { ArgumentName: name ?? '' });
    query.set(name, value ?? '');
  }
  return query;
}

function decodeKey(encoded: string): string {
  const key = decode(encoded);
  if (Buffer.byteLength(key) > 1023) throw new OssError('keyInvalid');
  if (/^[/\\]/.test(key)) throw new OssError('keyStart');
  return key;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OssError('keyInvalid');
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
