import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { deriveSigningKey, type Scope, stringToSign } from './signature.ts';

/** The key of one day, region and product, ready to sign. */
export class SigningKey {
  readonly #key: KeyObject;
  readonly #scope: Scope;

  constructor(accessKeySecret: string, scope: Scope) {
    this.#key = createSecretKey(deriveSigningKey(accessKeySecret, scope));
    this.#scope = scope;
  }

  /**
   * The signature of a canonical request: 64 hex digits, the HMAC of {@link stringToSign}.
   * @param instant in the form of `ossInstant`, on the key's day.
   */
  sign(instant: string, canonicalRequest: string): string {
    const text = stringToSign(instant, this.#scope, canonicalRequest);
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}
