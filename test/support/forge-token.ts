import { createHmac, type KeyObject, sign } from 'node:crypto';

/** One segment: an object as JSON, anything else byte for byte. */
export function segment(value: object | string | Uint8Array): string {
  const isRaw = typeof value === 'string' || value instanceof Uint8Array;
  return Buffer.from(isRaw ? value : JSON.stringify(value)).toString('base64url');
}

/** A token put together without any library, so that it can be as wrong as an attacker likes. */
export function forgeToken(
  header: object | string | Uint8Array,
  claims: object | string | Uint8Array,
  signer: (input: string) => Uint8Array | string,
): string {
  const input = `${segment(header)}.${segment(claims)}`;
  return `${input}.${segment(signer(input))}`;
}

/** Signs as ES256 does (RFC 7518 3.4), or in the DER form that it must not have. */
export function ecSigner(key: KeyObject, encoding: 'ieee-p1363' | 'der' = 'ieee-p1363') {
  return (input: string): Uint8Array => sign('sha256', Buffer.from(input), { key, dsaEncoding: encoding });
}

export function rsaSigner(key: KeyObject) {
  return (input: string): Uint8Array => sign('sha256', Buffer.from(input), key);
}

export function hmacSigner(secret: string | Uint8Array, hash = 'sha256') {
  return (input: string): Uint8Array => createHmac(hash, secret).update(input).digest();
}
