/**
 * Returns the text of a UUID, in lower case (RFC 9562 4).
 * @param bytes the 16 bytes of the UUID.
 */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
