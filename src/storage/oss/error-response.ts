import type { StorageFailureDetails } from '../storage-error.ts';
import { localName, readXml, textOf, type XmlLimits } from './xml.ts';

/**
 * By default, Node.js accepts no larger headers either. OSS sends half as many tags. Their number
 * also bounds how deep elements are nested.
 */
const LIMITS: XmlLimits = { maxLength: 16 * 1024, maxMarkup: 100 };

/** Codes of OSS have no digits, so neither access keys nor signatures pass as one. */
const CODE = /^[A-Z][A-Za-z]{1,63}$/;
const EC = /^\d{4}-\d{8}$/;
/** A signature is longer. */
const REQUEST_ID = /^[0-9A-Fa-f]{24}$/;

/**
 * Reads the error of a response to HEAD from its headers. A member that does not have OSS's form is
 * missing from the result. Source: OSS HeadObject; the official SDKs read `x-oss-err`.
 */
export function readErrorHeaders(headers: Headers): StorageFailureDetails {
  const encoded = headers.get('x-oss-err') ?? '';
  return {
    code: readErrorCode(decodeBase64(encoded)),
    ec: ifMatches(EC, headers.get('x-oss-ec')),
    requestId: requestIdOf(headers),
  };
}

/**
 * Reads the error of a response that can have a body. A body that describes no error, such as one
 * that a proxy sent, is not an error: the headers are then all there is.
 */
export function readErrorResponse({
  headers,
  body,
}: {
  readonly headers: Headers;
  readonly body: Uint8Array;
}): StorageFailureDetails {
  const fromHeaders = readErrorHeaders(headers);
  return { ...fromHeaders, code: readErrorCode(decodeUtf8(body)) ?? fromHeaders.code };
}

/** OSS's id of a request; undefined if the response does not come from OSS. */
export function requestIdOf(headers: Headers): string | undefined {
  return ifMatches(REQUEST_ID, headers.get('x-oss-request-id'));
}

function ifMatches(pattern: RegExp, value: string | null | undefined): string | undefined {
  return value && pattern.test(value) ? value : undefined;
}

/** @returns undefined for text that is too long, not base64, or not the base64 of UTF-8. */
function decodeBase64(text: string): string | undefined {
  if (text.length > LIMITS.maxLength || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return decodeUtf8(Buffer.from(text, 'base64'));
}

/** @returns undefined for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The `Code` of an error document; undefined if the text is not one. */
export function readErrorCode(xml: string | undefined): string | undefined {
  const root = xml === undefined ? undefined : readXml(xml, LIMITS);
  return root && localName(root) === 'Error' ? ifMatches(CODE, textOf(root, 'Code')) : undefined;
}
