/** First and last byte, both included. */
export type ByteRange = { readonly start: number; readonly end: number };

/**
 * Reads a `Range` header. OSS sends the whole object (null) if the header is malformed, has several
 * ranges or ends after the last byte. With `x-oss-range-behavior: standard`, a range that ends too
 * late is cut, and one that begins after the last byte is `unsatisfiable` (OSS help: "GetObject",
 * RFC 9110 section 14).
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
  isStandard: boolean,
): ByteRange | null | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const suffix = Math.min(Number(last), sizeBytes);
    if (suffix === 0) return isStandard ? 'unsatisfiable' : null;
    if (Number(last) > sizeBytes && !isStandard) return null;
    return { start: sizeBytes - suffix, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Number(last);
  if (last !== '' && end < start) return null;
  if (start >= sizeBytes) return isStandard ? 'unsatisfiable' : null;
  if (end >= sizeBytes) return isStandard ? { start, end: sizeBytes - 1 } : null;
  return { start, end };
}
