import { hash } from 'node:crypto';
import type { Mac } from '../grants/ports/service-keys.ts';

/** Bytes of a block of SHA-256 and of its digest (RFC 2104, B and L). */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** Longer than an upload id. Longer texts are joined with the key in a buffer of their own. */
const COMMON_BYTES = 4_096;

/**
 * Returns the HMAC-SHA256 (RFC 2104) with a key, as a function of the text.
 *
 * HMAC is `H(key ⊕ opad ‖ H(key ⊕ ipad ‖ text))`. The padded keys are computed once. This takes
 * 1.5 µs for an upload id. `createHmac` takes 7 µs, because each `Hmac` is an object with a
 * finalizer.
 * @param key exactly 32 bytes.
 */
export function createMac(key: Uint8Array): Mac {
  if (key.length !== DIGEST_BYTES) throw new TypeError(`the key of a MAC must have ${DIGEST_BYTES} bytes`);
  const inner = withPad(key, 0x36, COMMON_BYTES);
  const outer = withPad(key, 0x5c, DIGEST_BYTES);
  return (text) => {
    // A digest as text is faster: creating a Buffer takes longer than the hash.
    outer.write(hash('sha256', innerInput(text), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'base64url');
  };

  function innerInput(text: string): Uint8Array {
    // A UTF-16 code unit has at most 3 bytes of UTF-8.
    if (text.length * 3 > COMMON_BYTES)
      return Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(text)]);
    return inner.subarray(0, BLOCK_BYTES + inner.write(text, BLOCK_BYTES));
  }
}

/**
 * Uses `Buffer.alloc`, because most other small Buffers share a pool, and key material must not be
 * in it.
 */
function withPad(key: Uint8Array, padByte: number, textBytes: number): Buffer {
  const padded = Buffer.alloc(BLOCK_BYTES + textBytes);
  padded.fill(padByte, 0, BLOCK_BYTES);
  for (const [index, byte] of key.entries()) padded[index] = byte ^ padByte;
  return padded;
}
