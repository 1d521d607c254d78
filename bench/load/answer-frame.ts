export type AnswerFrame = {
  readonly status: number;
  /** Bytes of head and body together. */
  readonly length: number;
};

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH_NAME = Buffer.from('ontent-length: ');
const LENGTH_NAME_CAPITAL = Buffer.from('ontent-Length: ');

/**
 * Where an HTTP/1.1 answer at the start of these bytes ends, by its Content-Length (RFC 9112 6.2).
 * @returns undefined while its head is not complete.
 * @throws Error for an answer without Content-Length: the load generator reads no chunks.
 */
export function answerFrame(bytes: Buffer): AnswerFrame | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  let at = bytes.indexOf(LENGTH_NAME);
  if (at < 0 || at > headEnd) at = bytes.indexOf(LENGTH_NAME_CAPITAL);
  if (at < 0 || at > headEnd) throw new Error('an answer has no Content-Length');
  return {
    status: digits(bytes, 'HTTP/1.1 '.length),
    length: headEnd + HEAD_END.length + digits(bytes, at + LENGTH_NAME.length),
  };
}

/** The number that begins here: making a string of it first would cost the generator a tenth of its speed. */
function digits(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; ; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
