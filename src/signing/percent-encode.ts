const encoder = new TextEncoder();

// Every byte as it goes into a URL: the unreserved ones of RFC 3986 2.3 as they are, all others as %XX in upper case.
const ENCODED_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._~-]/.test(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
 * Percent-encodes the UTF-8 of a text as OSS does for query names and values: everything but `A-Z a-z 0-9 - . _ ~`.
 * @throws TypeError for a lone surrogate, which has no UTF-8.
 */
export function percentEncode(text: string): string {
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text;
  if (!text.isWellFormed()) throw new TypeError('text with a lone surrogate cannot be encoded');
  let encoded = '';
  for (const byte of encoder.encode(text)) encoded += ENCODED_BYTES[byte];
  return encoded;
}

/** The same for an object key within a path: `/` stays. */
export function percentEncodePath(path: string): string {
  return percentEncode(path).replaceAll('%2F', '/');
}
