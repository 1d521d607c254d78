const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

/** @throws TypeError for an object key that URL parsers would change, even if it is encoded. */
export function checkKey(key: string): void {
  if (key === '' || DOT_SEGMENT.test(key)) {
    throw new TypeError('the key must not be empty nor hold a "." or ".." segment, which URL parsers remove');
  }
}

/**
 * Percent-encodes the UTF-8 of a text as OSS does for query names and values. It encodes everything
 * except the unreserved characters of RFC 3986 2.3, `A-Z a-z 0-9 - . _ ~`.
 * @throws TypeError for a lone surrogate, which has no UTF-8.
 */
export function percentEncode(text: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text;
  if (!text.isWellFormed()) throw new TypeError('text with a lone surrogate cannot be encoded');
  return encodeURIComponent(text).replace(/[!'()*]/g, encodeAscii);
}

/** Percent-encodes an object key for a path. `/` stays as it is. */
export function percentEncodePath(path: string): string {
  return /^[A-Za-z0-9._~/-]*$/.test(path) ? path : percentEncode(path).replaceAll('%2F', '/');
}

function encodeAscii(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
