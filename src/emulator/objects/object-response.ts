import { OssError } from '../oss-error.ts';
import type { QueryParameter } from '../request-target.ts';
import { type ByteRange, parseRange } from './byte-range.ts';
import { toHeaderValue } from './header-value.ts';
import type { ObjectRecord } from './object-store.ts';

/** The response headers that a signed `response-…` parameter may replace. */
const OVERRIDABLE = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

export type ObjectResponse = {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes to send; null for none. */
  readonly range: ByteRange | null;
};

/**
 * Decides the response of GetObject and HeadObject: status, headers, and which bytes. Conditional
 * requests follow RFC 9110 section 13.
 * @throws OssError `PreconditionFailed`, `InvalidRange`, or `InvalidArgument` for a `response-…`
 *   value that cannot be a header.
 */
export function objectResponse(
  record: ObjectRecord,
  headers: ReadonlyMap<string, string>,
  query: readonly QueryParameter[],
): ObjectResponse {
  const served = { ...objectHeaders(record), ...overriddenHeaders(query) };
  if (isNotModified(record, headers)) {
    return {
      status: 304,
      headers: { ETag: served.ETag, 'Last-Modified': record.lastModifiedAt },
      range: null,
    };
  }
  const { sizeBytes } = record;
  const range = parseRange(
    headers.get('range'),
    sizeBytes,
    headers.get('x-oss-range-behavior') === 'standard',
  );
  if (range === 'unsatisfiable') throw new OssError('invalidRange', { ActualObjectSize: String(sizeBytes) });
  if (range === null) {
    return {
      status: 200,
      headers: { ...served, 'Content-Length': String(sizeBytes) },
      range: sizeBytes === 0 ? null : { start: 0, end: sizeBytes - 1 },
    };
  }
  const { start, end } = range;
  return {
    status: 206,
    headers: {
      ...served,
      'Content-Length': String(end - start + 1),
      'Content-Range': `bytes ${start}-${end}/${sizeBytes}`,
    },
    range,
  };
}

/** The checksums of the stored bytes, as headers; also in the response to PutObject. */
export function digestHeaders({ etag, contentMd5, crc64 }: ObjectRecord) {
  return { ETag: `"${etag}"`, 'Content-MD5': contentMd5, 'x-oss-hash-crc64ecma': crc64 };
}

function objectHeaders(record: ObjectRecord) {
  return {
    ...record.headers,
    ...digestHeaders(record),
    'Last-Modified': record.lastModifiedAt,
    'Accept-Ranges': 'bytes',
    'x-oss-object-type': 'Normal',
  };
}

function overriddenHeaders(query: readonly QueryParameter[]): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const { name, value } of query) {
    const header = name.replace(/^response-/, '');
    if (header === name || !OVERRIDABLE.includes(header)) continue;
    overrides[header] = toHeaderValue(name, value);
  }
  return overrides;
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
