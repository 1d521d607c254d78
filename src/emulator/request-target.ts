import { isIP } from 'node:net';
import type { EmulatorBucket } from './options.ts';
import { OssError } from './oss-error.ts';

export type QueryParameter = { readonly name: string; readonly value: string };

export type RequestTarget = {
  /** The addressed bucket, whether or not it exists; null for the service itself. */
  readonly bucket: string | null;
  /** Empty if the bucket itself is addressed. */
  readonly key: string;
  readonly query: readonly QueryParameter[];
  /**
   * The key in path style, if both host and path name the bucket. ali-oss with `sldEnable` and an
   * IP address as endpoint sends such requests and means path style. The signature shows which key
   * is meant.
   */
  readonly pathStyleKey?: string;
};

/**
 * Reads bucket and key from the request target and Host. Nothing is normalised: `..`, `//` and
 * `%2F` stay as they are. A custom domain or `<bucket>.<anything>` names the bucket; with any other
 * host, the path does.
 * @throws OssError `InvalidURI` for broken percent-encoding, `InvalidObjectName` for a path that is
 *   not UTF-8.
 */
export function parseRequestTarget(
  requestTarget: string,
  host: string,
  buckets: ReadonlyMap<string, EmulatorBucket>,
): RequestTarget {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)/i.exec(requestTarget);
  const originForm = absolute ? requestTarget.slice(absolute[0].length) : requestTarget;
  const queryStart = originForm.indexOf('?');
  const rawPath = queryStart < 0 ? originForm : originForm.slice(0, queryStart);
  const query = queryStart < 0 ? [] : parseQuery(originForm.slice(queryStart + 1));

  const path = (decodeUtf8(rawPath) ?? fail('objectNameInvalid')).replace(/^\//, '');
  const hostBucket = bucketOfHost(absolute?.[1] ?? host, buckets);
  if (hostBucket !== null) {
    const isDoubled = path.startsWith(`${hostBucket}/`);
    return {
      bucket: hostBucket,
      key: path,
      query,
      ...(isDoubled && { pathStyleKey: path.slice(hostBucket.length + 1) }),
    };
  }
  if (path === '') return { bucket: null, key: '', query };
  const slash = path.indexOf('/');
  return slash < 0
    ? { bucket: path, key: '', query }
    : { bucket: path.slice(0, slash), key: path.slice(slash + 1), query };
}

function bucketOfHost(authority: string, buckets: ReadonlyMap<string, EmulatorBucket>): string | null {
  const hostname = authority.replace(/:\d*$/, '').toLowerCase();
  for (const [name, { domains = [] }] of buckets) {
    if (domains.some((domain) => domain.toLowerCase() === hostname)) return name;
  }
  const [label = '', ...rest] = hostname.split('.');
  if (rest.length === 0 || isIP(hostname) !== 0) return null;
  if (buckets.has(label)) return label;
  // A bucket that does not exist, on a host of the real service: without this, a part of the key
  // would be read as its name.
  return /^[^.]+\.(oss-[a-z0-9-]+|[a-z0-9-]+\.oss)\.aliyuncs\.com$/.test(hostname) ? label : null;
}

function parseQuery(rawQuery: string): readonly QueryParameter[] {
  return rawQuery
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const [name, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
      return { name: decodeParameter(name), value: decodeParameter(value) };
    });
}

function decodeParameter(text: string): string {
  return decodeUtf8(text.replaceAll('+', ' ')) ?? fail('invalidUri');
}

/**
 * Percent-decodes once; null if the bytes are not UTF-8. Node passes the bytes of the request line
 * as Latin-1.
 */
export function decodeUtf8(text: string): string | null {
  if (/%(?![0-9a-f]{2})/i.test(text)) fail('invalidUri');
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

function fail(fault: 'invalidUri' | 'objectNameInvalid'): never {
  throw new OssError(fault);
}
