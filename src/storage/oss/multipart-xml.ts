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

/** A part as OSS writes it: elements that have a text only, in ASCII. OSS may escape quotes. */
const PLAIN_PART =
  /\s*<Part>((?:\s*<([A-Za-z]\w*)>[ -%'-;=?-~]*(?:&(?:quot|#34);[ -%'-;=?-~]*)*<\/\2>)*)\s*<\/Part>/gy;

/** The elements of a document of OSS about one key. */
type Result = NonNullable<ReturnType<typeof readXml>>;

/** A page of the parts of an upload, ascending by number. */
export type PartsPage = { readonly parts: readonly StoredPart[]; readonly isTruncated: boolean };

/**
 * Reads the response to InitiateMultipartUpload.
 * @returns the multipart upload ID; undefined if the document is another one, or about another key.
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
  const xml = decodeUtf8(body);
  const page = xml === undefined ? undefined : (readPlainPage(xml) ?? readAnyPage(xml));
  const result = page && resultOf(page.root, 'ListPartsResult', key);
  if (!result || textOf(result, 'UploadId') !== uploadId) return undefined;
  const truncated = textOf(result, 'IsTruncated');
  if (truncated !== 'true' && truncated !== 'false') return undefined;
  const parts: StoredPart[] = [];
  let last = after;
  for (const textOfPart of page.parts) {
    const partNumber = numberOf(textOfPart('PartNumber'));
    const contentLength = numberOf(textOfPart('Size'));
    const etag = ETAG.exec(textOfPart('ETag') ?? '')?.[1];
    if (partNumber === undefined || contentLength === undefined || etag === undefined) return undefined;
    if (partNumber <= last || partNumber > MAX_PARTS || contentLength > MAX_PART_BYTES) return undefined;
    last = partNumber;
    parts.push({ partNumber, contentLength, etag });
  }
  const isTruncated = truncated === 'true';
  return isTruncated && parts.length === 0 ? undefined : { parts, isTruncated };
}

/** A page before its values are checked. */
type Page = {
  readonly root: Result | undefined;
  /** Each returns the text of the only element of this name. */
  readonly parts: readonly ((name: string) => string | undefined)[];
};

function readAnyPage(xml: string): Page {
  const root = readXml(xml, LIMITS);
  const parts = root ? childrenOf(root, 'Part') : [];
  return { root, parts: parts.map((part) => (name: string) => textOf(part, name)) };
}

/**
 * Reads a page whose parts follow one another as OSS writes them. The XML parser would take ten
 * times as long for a thousand parts, and anyone with a large upload may ask for its state.
 * @returns undefined for any other page, which the XML parser has to read.
 */
function readPlainPage(xml: string): Page | undefined {
  const start = xml.indexOf('<Part>');
  if (start < 0 || xml.length > LIMITS.maxLength) return undefined;
  const parts: Page['parts'][number][] = [];
  let end = start;
  for (const [part, fields = ''] of xml.slice(start).matchAll(PLAIN_PART)) {
    end += part.length;
    parts.push((name) => textOfPlain(fields, name));
  }
  // The element in their place shows whether they are elements of the root, and all parts of it.
  const root = readXml(`${xml.slice(0, start)}<PlainParts/>${xml.slice(end)}`, LIMITS);
  const isWhole =
    root && childrenOf(root, 'PlainParts').length === 1 && childrenOf(root, 'Part').length === 0;
  return isWhole ? { root, parts } : undefined;
}

function textOfPlain(fields: string, name: string): string | undefined {
  const tag = `<${name}>`;
  const start = fields.indexOf(tag);
  if (start < 0 || fields.includes(tag, start + 1)) return undefined;
  const text = fields.slice(start + tag.length, fields.indexOf('<', start + 1));
  return text.includes('&') ? text.replace(/&(?:quot|#34);/g, '"') : text;
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
  return resultOf(xml === undefined ? undefined : readXml(xml, LIMITS), name, key);
}

function resultOf(root: Result | undefined, name: string, key: string): Result | undefined {
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

function numberOf(text = ''): number | undefined {
  return NUMBER.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
