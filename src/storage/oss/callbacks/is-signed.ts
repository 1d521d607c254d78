import { type KeyObject, verify } from 'node:crypto';

/** The parts of a call that OSS signs. */
export type SignedCall = {
  /** The decoded path of the address that OSS calls. */
  readonly path: string;
  /** As it arrived, without the question mark; empty if there is none. */
  readonly query: string;
  readonly body: Uint8Array;
};

/**
 * Whether the signature of a call is made with this key: RSA (PKCS #1 v1.5) with MD5 over path,
 * query, a line feed and body. Source: OSS, Callback.
 */
export function isSigned({ path, query, body }: SignedCall, key: KeyObject, signature: Uint8Array): boolean {
  // Node.js has one character for each byte of a request line.
  const suffix = Buffer.from(query === '' ? '\n' : `?${query}\n`, 'latin1');
  return verify('RSA-MD5', Buffer.concat([Buffer.from(path), suffix, body]), key, signature);
}
