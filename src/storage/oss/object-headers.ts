import type { ObjectUpload } from '../object-storage.ts';
import { type Header, type HeaderName, header, headerName } from './signing/canonical-headers.ts';

/** Begins the names of the headers of metadata, in lower case. */
export const METADATA_PREFIX = 'x-oss-meta-';

const CONTENT_TYPE = headerName('Content-Type');
const CONTENT_LENGTH = headerName('Content-Length');
const CONTENT_MD5 = headerName('Content-MD5');
const CACHE_CONTROL = headerName('Cache-Control');
const CONTENT_DISPOSITION = headerName('Content-Disposition');
const CONTENT_ENCODING = headerName('Content-Encoding');
/** Keeps an existing object. */
export const FORBID_OVERWRITE = header(headerName('x-oss-forbid-overwrite'), 'true');

/** The names of the headers of these metadata, by the name of the metadata. */
export function metadataHeaderNames(names: readonly string[]): ReadonlyMap<string, HeaderName> {
  return new Map(names.map((name) => [name, metadataHeaderName(name)]));
}

function metadataHeaderName(name: string): HeaderName {
  return headerName(`${METADATA_PREFIX}${name}`);
}

/**
 * The headers of PutObject that one upload decides, without its length. A new list.
 * @param prepared the names of headers that are known before; others are made.
 */
export function uploadHeaders(
  upload: Omit<ObjectUpload, 'contentLength'>,
  prepared: ReadonlyMap<string, HeaderName>,
): Header[] {
  const { contentMd5, cacheControl, contentDisposition, contentEncoding, metadata } = upload;
  const headers = [header(CONTENT_TYPE, upload.contentType)];
  if (contentMd5 !== undefined) headers.push(contentMd5Header(contentMd5));
  if (cacheControl !== undefined) headers.push(header(CACHE_CONTROL, cacheControl));
  if (contentDisposition !== undefined) headers.push(header(CONTENT_DISPOSITION, contentDisposition));
  if (contentEncoding !== undefined) headers.push(header(CONTENT_ENCODING, contentEncoding));
  if (!upload.overwrite) headers.push(FORBID_OVERWRITE);
  for (const name in metadata)
    headers.push(header(prepared.get(name) ?? metadataHeaderName(name), metadata[name] as string));
  return headers;
}

/**
 * The length as it is signed. Responses do not list it, because browsers forbid setting it and
 * every HTTP client sends it.
 */
export function contentLengthHeader(contentLength: number): Header {
  return header(CONTENT_LENGTH, String(contentLength));
}

/** The MD5 of the bytes, in base64. */
export function contentMd5Header(contentMd5: string): Header {
  return header(CONTENT_MD5, contentMd5);
}

/** Returns headers by name, in the usual spelling. */
export function headerRecord(headers: readonly Header[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const { name, value } of headers) record[name.spelling] = value;
  return record;
}
