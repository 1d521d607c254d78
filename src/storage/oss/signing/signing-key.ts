import { createHmac, hash } from 'node:crypto';
import { ALGORITHM, type Scope, stringToSign } from './string-to-sign.ts';

/** Derives the key of one day, region and product from the secret. */
export function deriveSigningKey(accessKeySecret: string, { date, region, product }: Scope): Buffer {
  return [date, region, product, 'aliyun_v4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`aliyun_v4${accessKeySecret}`),
  );
}

/** Bytes of a block of SHA-256 and of its digest (RFC 2104, B and L). */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

const INSTANT_OFFSET = BLOCK_BYTES + ALGORITHM.length + 1;

/**
 * Prepares the key of one day, region and product for signing.
 *
 * HMAC (RFC 2104) is `H(key ⊕ opad ‖ H(key ⊕ ipad ‖ text))`. Both inputs of H are kept in buffers,
 * because only parts of them differ between the signatures of one key:
 *
 *     inner   key ⊕ ipad (64) │ algorithm ⏎ │ instant (16) │ ⏎ scope ⏎ │ request hash (64)
 *     outer   key ⊕ opad (64) │ digest of inner (32)
 *
 * This takes 0.7 µs. `createHmac` takes 2 µs and more, because each `Hmac` is an object with a
 * finalizer.
 */
export class SigningKey {
  readonly #inner: Buffer;
  readonly #outer: Buffer;
  readonly #requestHashOffset: number;

  constructor(accessKeySecret: string, scope: Scope) {
    const key = deriveSigningKey(accessKeySecret, scope);
    const text = stringToSign(' '.repeat('yyyymmddThhmmssZ'.length), scope, '');
    this.#inner = behindPad(key, 0x36, Buffer.from(text));
    this.#outer = behindPad(key, 0x5c, Buffer.alloc(DIGEST_BYTES));
    this.#requestHashOffset = this.#inner.length - 2 * DIGEST_BYTES;
  }

  /**
   * The signature of a canonical request: 64 hexadecimal digits, the HMAC of {@link stringToSign}.
   * @param instant in the form of `ossInstant`, on the key's day.
   */
  sign(instant: string, canonicalRequest: string): string {
    this.#inner.write(instant, INSTANT_OFFSET, 'latin1');
    this.#inner.write(hash('sha256', canonicalRequest, 'hex'), this.#requestHashOffset, 'latin1');
    // A digest as text is faster: creating a Buffer takes longer than the hash.
    return this.#finish(hash('sha256', this.#inner, 'binary'));
  }

  /**
   * The signature of the policy of a form: 64 hexadecimal digits. Source: OSS, V4 signature of POST
   * requests.
   * @param policy in base64, exactly as it is sent.
   */
  signPolicy(policy: string): string {
    const inner = Buffer.alloc(BLOCK_BYTES + policy.length);
    this.#inner.copy(inner, 0, 0, BLOCK_BYTES);
    inner.write(policy, BLOCK_BYTES, 'latin1');
    return this.#finish(hash('sha256', inner, 'binary'));
  }

  /** The outer hash of HMAC, over the digest of the inner one. */
  #finish(digest: string): string {
    this.#outer.write(digest, BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, 'hex');
  }
}

/**
 * Uses `Buffer.alloc`, because most other small Buffers share a pool, and key material must not be
 * in it.
 */
function behindPad(key: Buffer, padByte: number, text: Buffer): Buffer {
  const padded = Buffer.alloc(BLOCK_BYTES + text.length, padByte);
  for (const [index, byte] of key.entries()) padded[index] = byte ^ padByte;
  text.copy(padded, BLOCK_BYTES);
  return padded;
}
