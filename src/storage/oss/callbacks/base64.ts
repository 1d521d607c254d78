/**
 * Decodes base64 with padding (RFC 4648 4).
 * @param text of any length and content.
 * @returns undefined for a longer text, an empty one, or any other spelling of the same bytes.
 */
export function decodeBase64(text: string, maxLength: number): Buffer<ArrayBuffer> | undefined {
  if (text === '' || text.length > maxLength) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
