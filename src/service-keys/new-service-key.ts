import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { PrivateJwk } from './service-key.ts';

/** A new key as it is written to a file: private, with its `kid`, use and algorithm. */
export type NewServiceKey = PrivateJwk & {
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
};

/** Characters of a `kid`, which is part of every upload id. 96 bits differ between any two keys. */
const KID_LENGTH = 16;

/**
 * Returns a new private key as a JWK. Its `kid` is the beginning of its thumbprint (RFC 7638),
 * which reveals nothing that the public key does not.
 * @param privateKey a new P-256 key.
 */
export async function newServiceKey(privateKey: KeyObject): Promise<NewServiceKey> {
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' }) as PrivateJwk;
  const jwk = { kty, crv, x, y, d };
  const kid = (await calculateJwkThumbprint(jwk)).slice(0, KID_LENGTH);
  return { ...jwk, kid, use: 'sig', alg: 'ES256' };
}
