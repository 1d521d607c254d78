// A CRC is the remainder of a polynomial. Appending n bytes multiplies it by x^(8n). The halves are
// as in crc64.ts: reflected, so the highest bit is the coefficient of x^0.
type Polynomial = readonly [high: number, low: number];

const MODULUS_HIGH = 0xc96c5795;
const MODULUS_LOW = 0xd7870f42;
const ONE: Polynomial = [0x80000000 | 0, 0];
/** x^(2^n). The longest object has fewer than 2^47 bytes. */
const SQUARES = makeSquares(50);

/** The CRC-64 of some bytes, in decimal, and their number. */
export type Crc64Part = { readonly crc64: string; readonly sizeBytes: number };

/**
 * Computes the CRC-64 of parts that follow one another from those of the parts, without their
 * bytes (as `crc32_combine` of zlib). No parts have the CRC-64 of the empty text, 0.
 */
export function combineCrc64(parts: readonly Crc64Part[]): string {
  let combined: Polynomial = [0, 0];
  // Most parts have the same size.
  const shifts = new Map<number, Polynomial>();
  for (const { crc64, sizeBytes } of parts) {
    const shift = shifts.get(sizeBytes) ?? shiftOf(sizeBytes);
    shifts.set(sizeBytes, shift);
    const [high, low] = multiply(combined, shift);
    const value = BigInt(crc64);
    combined = [high ^ Number(value >> 32n), low ^ Number(value & 0xffffffffn)];
  }
  const [high, low] = combined;
  return ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString();
}

/** x^(8n) */
function shiftOf(bytes: number): Polynomial {
  let shift = ONE;
  for (let [rest, index] = [bytes, 3]; rest > 0; rest = Math.floor(rest / 2), index++) {
    const square = SQUARES[index];
    if (rest % 2 === 1 && square) shift = multiply(square, shift);
  }
  return shift;
}

function multiply([aHigh, aLow]: Polynomial, b: Polynomial): Polynomial {
  let [bHigh, bLow] = b;
  let [high, low] = [0, 0];
  for (let bit = 63; bit >= 0; bit--) {
    const half = bit >= 32 ? aHigh : aLow;
    if ((half >>> (bit & 31)) & 1) {
      high ^= bHigh;
      low ^= bLow;
    }
    const isOdd = bLow & 1;
    bLow = (bLow >>> 1) | (bHigh << 31);
    bHigh >>>= 1;
    if (isOdd) {
      bHigh ^= MODULUS_HIGH;
      bLow ^= MODULUS_LOW;
    }
  }
  return [high, low];
}

function makeSquares(count: number): readonly Polynomial[] {
  const squares: Polynomial[] = [[0x40000000, 0]];
  for (let last = squares[0]; last && squares.length < count; last = squares.at(-1)) {
    squares.push(multiply(last, last));
  }
  return squares;
}
