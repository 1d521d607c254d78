/**
 * Decodes RFC 4648 4 and 5 strictly: it skips nothing and requires padding (base64url: complete or
 * absent).
 */
export function decodeBase64(
  text: string,
  encoding: 'base64' | 'base64url',
): Buffer<ArrayBuffer> | undefined {
  const bytes = Buffer.from(text, encoding);
  const canonical = bytes.toString(encoding);
  const padded = canonical.padEnd(Math.ceil(canonical.length / 4) * 4, '=');
  return text === canonical || text === padded ? bytes : undefined;
}
