import { MAX_PART_BYTES, MAX_PARTS } from '../limits.ts';
import type { StoredPart } from '../object-storage.ts';
import { decodeUtf8 } from './error-response.ts';
import { isMultipartUploadId } from './multipart-upload-id.ts';
import { childrenOf, localName, readXml, textOf, type XmlLimits } from './xml.ts';

/**
 * Of a page of 1,000 parts, about twice what OSS sends. A document at these limits takes less than
 * 50 ms.
 */
const LIMITS: XmlLimits = { maxLength: 512 * 1024, maxMarkup: 30_000 };

/** Bytes of a response of these calls. Characters of a key can have several bytes. */
export const MAX_RESPONSE_BYTES = LIMITS.maxLength;

const NUMBER = /^(?:0|[1-9]\d{0,15})$/;
/** OSS quotes ETags. Without these characters, an ETag needs no escapes in XML. */
const ETAG = /^"?([\w.+/=-]{1,128})"?$/;

/** The elements of a document of OSS about one key. */
type Result = NonNullable<ReturnType<typeof readXml>>;

/** A page of the parts of an upload, ascending by number. */
export type PartsPage = { readonly parts: readonly StoredPart[]; readonly isTruncated: boolean };

/**
 * Reads the response to InitiateMultipartUpload.
 * @returns the multipart upload id; undefined if the document is another one, or about another key.
 */
export function readInitiateResult(body: Uint8Array, key: string): string | undefined {
  const result = readResult('InitiateMultipartUploadResult', body, key);
  const uploadId = result && textOf(result, 'UploadId');
  return uploadId !== undefined && isMultipartUploadId(uploadId) ? uploadId : undefined;
}

/**
 * Reads a page of the response to ListParts.
 * @param after the number of the last part of the page before, or 0.
 * @returns undefined if the document is another one, is about another upload, has parts that are
 *   not ascending, or does not advance although more parts follow.
 */
export function readPartsPage(
  body: Uint8Array,
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
  after: number,
): PartsPage | undefined {
  const result = readResult('ListPartsResult', body, key);
  if (!result || textOf(result, 'UploadId') !== uploadId) return undefined;
  const truncated = textOf(result, 'IsTruncated');
  if (truncated !== 'true' && truncated !== 'false') return undefined;
  const parts: StoredPart[] = [];
  let last = after;
  for (const element of childrenOf(result, 'Part')) {
    const partNumber = numberOf(element, 'PartNumber');
    const contentLength = numberOf(element, 'Size');
    const etag = ETAG.exec(textOf(element, 'ETag') ?? '')?.[1];
    if (partNumber === undefined || contentLength === undefined || etag === undefined) return undefined;
    if (partNumber <= last || partNumber > MAX_PARTS || contentLength > MAX_PART_BYTES) return undefined;
    last = partNumber;
    parts.push({ partNumber, contentLength, etag });
  }
  const isTruncated = truncated === 'true';
  return isTruncated && parts.length === 0 ? undefined : { parts, isTruncated };
}

/** Reports whether a document is the response to a CompleteMultipartUpload of this key. */
export function isCompleteResult(body: Uint8Array, key: string): boolean {
  return readResult('CompleteMultipartUploadResult', body, key) !== undefined;
}

/**
 * Returns the body of CompleteMultipartUpload.
 * @throws TypeError for parts that are not ascending, for none, and for an ETag that OSS does not
 *   make.
 */
export function writePartList(
  parts: readonly Pick<StoredPart, 'partNumber' | 'etag'>[],
): Uint8Array<ArrayBuffer> {
  if (parts.length === 0) throw new TypeError('an upload without parts cannot be completed');
  let last = 0;
  let list = '';
  for (const { partNumber, etag } of parts) {
    if (!Number.isInteger(partNumber) || partNumber <= last || partNumber > MAX_PARTS)
      throw new TypeError('the parts are not ascending');
    if (etag.includes('"') || !ETAG.test(etag)) throw new TypeError('an ETag is not one of OSS');
    last = partNumber;
    list += `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${etag}"</ETag></Part>`;
  }
  return new TextEncoder().encode(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
}

function readResult(name: string, body: Uint8Array, key: string): Result | undefined {
  const xml = decodeUtf8(body);
  const root = xml === undefined ? undefined : readXml(xml, LIMITS);
  return root && localName(root) === name && isKey(root, key) ? root : undefined;
}

/** OSS encodes the key if the request asks for it, because XML cannot hold every character. */
function isKey(result: Result, key: string): boolean {
  const text = textOf(result, 'Key');
  if (text === undefined || textOf(result, 'EncodingType') !== 'url') return text === key;
  // A space is either "%20" or "+", and "+" can be "%2B" or itself.
  return decodeUrl(text) === key || decodeUrl(text.replaceAll('+', ' ')) === key;
}

function decodeUrl(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function numberOf(element: Result, name: string): number | undefined {
  const text = textOf(element, name) ?? '';
  return NUMBER.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
