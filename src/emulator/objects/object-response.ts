import { OssError } from '../oss-error.ts';
import type { QueryParameter } from '../request-target.ts';
import { type ByteRange, parseRange } from './byte-range.ts';
import { toHeaderValue } from './header-value.ts';
import type { ObjectRecord } from './object-file.ts';

/** The response headers that a signed `response-…` parameter may replace. */
const OVERRIDABLE = [
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

/** Whether a host is one of OSS itself, where browsers download every object: no custom domain. */
export function isOssHost(host: string | undefined): boolean {
  return /\.aliyuncs\.com(?::\d+)?$/i.test(host ?? '');
}

/** A request for an object, as far as the response depends on it. */
export type ObjectRead = {
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly overrides: HeaderOverrides;
};

export type HeaderOverrides = Readonly<Record<string, string>>;

export type ObjectResponse = {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes to send; null for none. */
  readonly range: ByteRange | null;
};

/**
 * Decides the response of GetObject and HeadObject: status, headers, and which bytes. Conditional
 * requests follow RFC 9110 section 13. Only GET can ask for a range.
 * @throws OssError `PreconditionFailed` or `InvalidRange`.
 */
export function objectResponse(record: ObjectRecord, read: ObjectRead): ObjectResponse {
  const { method, headers } = read;
  const served = { ...objectHeaders(record), ...read.overrides };
  if (isNotModified(record, headers)) {
    return {
      status: 304,
      headers: { ETag: served.ETag, 'Last-Modified': record.lastModifiedAt },
      range: null,
    };
  }
  const sent = isOssHost(headers.get('host')) ? forceDownload(served) : served;
  const { sizeBytes } = record;
  const range =
    method === 'GET'
      ? parseRange(headers.get('range'), sizeBytes, headers.get('x-oss-range-behavior') === 'standard')
      : null;
  if (range === 'unsatisfiable') throw new OssError('invalidRange', { ActualObjectSize: String(sizeBytes) });
  if (range === null) {
    return {
      status: 200,
      headers: { ...sent, 'Content-Length': String(sizeBytes) },
      range: sizeBytes === 0 ? null : { start: 0, end: sizeBytes - 1 },
    };
  }
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...sent,
      'Content-Length': String(end - start + 1),
      'Content-Range': `bytes ${start}-${end}/${sizeBytes}`,
    },
    range,
  };
}

/**
 * Reads the `response-…` parameters of a request, which replace headers of its response (OSS help:
 * "GetObject").
 * @throws OssError `InvalidRequest` for `response-content-type`, for any that does not exist, and
 *   for all of them in a request without a signature; `InvalidArgument` for a value that cannot be
 *   a header.
 */
export function readOverrides(query: readonly QueryParameter[], isAnonymous: boolean): HeaderOverrides {
  const overrides: Record<string, string> = {};
  for (const { name, value } of query) {
    if (!name.startsWith('response-')) continue;
    if (isAnonymous) throw new OssError('overrideAnonymous');
    const header = name.slice('response-'.length);
    if (header === 'content-type') throw new OssError('overrideContentType');
    if (!OVERRIDABLE.includes(header)) throw new OssError('overrideUnknown', {}, header);
    overrides[header] = toHeaderValue(name, value);
  }
  return overrides;
}

/** The checksums of the stored bytes, as headers; also in the response to an upload. */
export function digestHeaders({ etag, contentMd5, crc64, versionId }: ObjectRecord) {
  return {
    ETag: `"${etag}"`,
    ...(contentMd5 !== undefined && { 'Content-MD5': contentMd5 }),
    'x-oss-hash-crc64ecma': crc64,
    ...(versionId !== undefined && { 'x-oss-version-id': versionId }),
  };
}

/** The type of an object, as HeadObject and the listings name it. */
export function objectType({ symlinkTarget, partFolder }: ObjectRecord): string {
  if (symlinkTarget !== undefined) return 'Symlink';
  return partFolder === undefined ? 'Normal' : 'Multipart';
}

function objectHeaders(record: ObjectRecord) {
  return {
    ...record.headers,
    ...digestHeaders(record),
    'Last-Modified': record.lastModifiedAt,
    'Accept-Ranges': 'bytes',
    'x-oss-object-type': objectType(record),
  };
}

function forceDownload(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const disposition = headers['content-disposition'] ?? '';
  const isDownload = /^attachment\s*(?:;|$)/i.test(disposition);
  return {
    ...headers,
    ...(!isDownload && { 'content-disposition': 'attachment' }),
    'x-oss-force-download': 'true',
  };
}

function isNotModified(record: ObjectRecord, headers: ReadonlyMap<string, string>): boolean {
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
  const modifiedAt = Date.parse(record.lastModifiedAt);
  const isFailed =
    match === undefined
      ? modifiedAt > Date.parse(headers.get('if-unmodified-since') ?? '')
      : !namesEtag(match, record.etag);
  if (isFailed) throw new OssError('preconditionFailed');
  if (noneMatch !== undefined) return namesEtag(noneMatch, record.etag);
  return modifiedAt <= Date.parse(headers.get('if-modified-since') ?? '');
}

function namesEtag(list: string, etag: string): boolean {
  return list
    .split(',')
    .some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '').replaceAll('"', '')));
}
