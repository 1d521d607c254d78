import { decodeBase64 } from '../../../text/base64.ts';

/** The address of OSS's key has 72 characters in base64. */
const MAX_HEADER_LENGTH = 512;

/**
 * Where OSS publishes its keys. A user name, a port, a query and an escape are not possible, so
 * that one key has few spellings of its address. Source: OSS, Callback.
 */
const KEY_URL = /^https?:(\/\/gosspublic\.alicdn\.com\/[\w./-]+)$/;

/**
 * Returns the https address of the key that the header `x-oss-pub-key-url` names; undefined if it
 * is not an address at which OSS publishes keys, in the only spelling of it.
 * @param header of any length and content: anyone can send it.
 */
export function callbackKeyUrl(header: string): string | undefined {
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  const text = decodeBase64(header, 'base64')?.toString('latin1') ?? '';
  const [, rest] = KEY_URL.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const address = `https:${rest}`;
  return URL.parse(address)?.href === address ? address : undefined;
}
