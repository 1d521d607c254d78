import { parseXml, XmlElement } from '@rgrove/parse-xml';
import type { StorageFailureDetails } from '../storage-error.ts';

/** Characters. By default, Node.js accepts no larger headers either. */
const MAX_XML_LENGTH = 16 * 1024;

/** Twice what OSS sends. Bounds how deep elements are nested, because the parser is recursive. */
const MAX_TAGS = 100;

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

/** OSS's id of a request; undefined if the response does not come from OSS. */
export function requestIdOf(headers: Headers): string | undefined {
  return ifMatches(REQUEST_ID, headers.get('x-oss-request-id'));
}

function ifMatches(pattern: RegExp, value: string | null | undefined): string | undefined {
  return value && pattern.test(value) ? value : undefined;
}

/** @returns undefined for text that is too long, not base64, or not the base64 of UTF-8. */
function decodeBase64(text: string): string | undefined {
  if (text.length > MAX_XML_LENGTH || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

/** The `Code` of an error document; undefined if the text is not one. */
export function readErrorCode(xml: string | undefined): string | undefined {
  if (xml === undefined || xml.length > MAX_XML_LENGTH || xml.split('<').length > MAX_TAGS) return undefined;
  let root: XmlElement | null;
  try {
    // The parser declares no entities, reads nothing external, and ignores a DTD.
    ({ root } = parseXml(xml));
  } catch {
    return undefined;
  }
  if (root?.name !== 'Error') return undefined;
  const codes = root.children.filter((child) => child instanceof XmlElement && child.name === 'Code');
  return codes.length === 1 ? ifMatches(CODE, (codes[0] as XmlElement).text) : undefined;
}
