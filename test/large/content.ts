import { createCipheriv } from 'node:crypto';
import { type Crc64Part, combineCrc64 } from '../../src/emulator/objects/combine-crc64.ts';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';

const BLOCK_BYTES = 64 * 1024;
const NUMBER_BYTES = 16;
/** The bytes that all blocks share. */
const FILLER = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'k'), Buffer.alloc(16)).update(
  Buffer.alloc(BLOCK_BYTES - NUMBER_BYTES),
);
const FILLER_CRC64 = crc64Of(FILLER);

/**
 * The bytes of a file that exists nowhere, in pieces that share their memory. Each block of 64 KiB
 * begins with its own number, so no two ranges of a block or more are equal.
 */
export function* contentOf(offset: number, length: number): Generator<Buffer> {
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const inBlock = at % BLOCK_BYTES;
    const block = Math.floor(at / BLOCK_BYTES);
    const piece =
      inBlock < NUMBER_BYTES
        ? Buffer.from(String(block).padStart(NUMBER_BYTES)).subarray(inBlock, inBlock + end - at)
        : FILLER.subarray(inBlock - NUMBER_BYTES, inBlock - NUMBER_BYTES + end - at);
    yield piece;
    at += piece.length;
  }
}

/** The CRC-64 of the first bytes of the file, in decimal, from those of its pieces. */
export function contentCrc64(length: number): string {
  let pieces: Crc64Part[] = [{ crc64: crc64Of(Buffer.of()), sizeBytes: 0 }];
  let sizeBytes = 0;
  for (const piece of contentOf(0, length)) {
    const crc64 = piece.length === FILLER.length ? FILLER_CRC64 : crc64Of(piece);
    pieces.push({ crc64, sizeBytes: piece.length });
    sizeBytes += piece.length;
    // The client has little memory for the pieces of a large file.
    if (pieces.length === 1000) pieces = [{ crc64: combineCrc64(pieces), sizeBytes }];
  }
  return combineCrc64(pieces);
}

function crc64Of(bytes: Uint8Array): string {
  const crc64 = createCrc64();
  crc64.update(bytes);
  return crc64.digest();
}
