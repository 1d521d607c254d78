// CRC-64/XZ (ECMA-182, reflected): polynomial 0xC96C5795D7870F42, initial value and final XOR all ones. The state is kept in two
// halves of 32 bits, since BigInt arithmetic is two orders of magnitude slower.
const LOW = new Uint32Array(256);
const HIGH = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let crc = BigInt(index);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  LOW[index] = Number(crc & 0xffffffffn);
  HIGH[index] = Number(crc >> 32n);
}

/** Counts the CRC-64 that OSS answers as `x-oss-hash-crc64ecma`. */
export class Crc64 {
  #low = 0xffffffff;
  #high = 0xffffffff;

  update(chunk: Uint8Array): this {
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < chunk.length; index++) {
      const entry = (low ^ (chunk[index] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[entry] ?? 0);
      high = (high >>> 8) ^ (HIGH[entry] ?? 0);
    }
    this.#low = low;
    this.#high = high;
    return this;
  }

  /** The sum in decimal. */
  digest(): string {
    const high = BigInt(~this.#high >>> 0);
    const low = BigInt(~this.#low >>> 0);
    return ((high << 32n) | low).toString();
  }
}
