import { createECDH, createPrivateKey, hkdfSync } from 'node:crypto';
import type { Mac, ServiceKey } from '../grants/ports/service-keys.ts';
import { createMac } from './hmac.ts';

/** The P-256 private key of a JWK (RFC 7518 6.2), with its coordinates in base64url. */
export type PrivateJwk = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly d: string;
};

/** Bytes of a coordinate and of the private scalar of P-256 (RFC 7518 6.2.1.2 and 6.2.2.1). */
const SCALAR_BYTES = 32;

/** One HMAC-SHA256 secret each (RFC 5869 3.2). Another text would make all upload ids invalid. */
const UPLOAD_ID_INFO = 'oss-presign upload id v1';
const IDEMPOTENCY_INFO = 'oss-presign idempotency key v1';

/** Derives the secrets of a private key. Takes about 0.1 ms, so call it once per load. */
export function toServiceKey(kid: string, jwk: PrivateJwk): ServiceKey {
  const scalar = Buffer.from(jwk.d, 'base64url');
  return Object.freeze({
    kid,
    uploadIdMac: deriveMac(scalar, UPLOAD_ID_INFO),
    idempotencyMac: deriveMac(scalar, IDEMPOTENCY_INFO),
    receiptKey: createPrivateKey({ key: jwk, format: 'jwk' }),
  });
}

/** HKDF-SHA256 (RFC 5869) without a salt: the scalar is already uniformly random. */
function deriveMac(scalar: Uint8Array, info: string): Mac {
  return createMac(new Uint8Array(hkdfSync('sha256', scalar, '', info, 32)));
}

/** Whether a text is the base64url of 32 bytes, in its only canonical spelling. */
export function isScalar(text: string): boolean {
  if (text.length !== 43) return false;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === SCALAR_BYTES && bytes.toString('base64url') === text;
}

/**
 * Whether `x` and `y` are the public key of `d`, so that they are a point on the curve.
 * @param jwk whose coordinates {@link isScalar}.
 */
export function isKeyPair({ x, y, d }: Pick<PrivateJwk, 'x' | 'y' | 'd'>): boolean {
  const pair = createECDH('prime256v1');
  try {
    pair.setPrivateKey(d, 'base64url');
  } catch {
    // 0, or not less than the order of the curve.
    return false;
  }
  const coordinates = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  // The first byte states that the point is not compressed (SEC 1 2.3.3).
  return pair.getPublicKey().subarray(1).equals(coordinates);
}
