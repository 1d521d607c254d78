import { isUtf8 } from 'node:buffer';
import { systemErrorCode } from './system-error.ts';

/** The largest file that is read as text: policies of 10,000 rules and key sets are smaller. */
export const MAX_TEXT_FILE_BYTES = 4 * 1024 ** 2;

/**
 * A file that could be read but is not text in UTF-8. The message is the end of a sentence that
 * begins with the file.
 */
export class NotTextError extends Error {
  readonly code = 'ERR_NOT_TEXT';
  /** From 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Decodes a file as UTF-8, without its byte order mark.
 * @throws NotTextError for bytes that are not UTF-8, with the line of the first one; for UTF-16;
 *   and for more than {@link MAX_TEXT_FILE_BYTES}.
 */
export function decodeTextFile(bytes: Uint8Array): string {
  if (bytes.length > MAX_TEXT_FILE_BYTES)
    throw new NotTextError(1, `is larger than ${MAX_TEXT_FILE_BYTES / 1024 ** 2} MiB`);
  const [first, second] = bytes;
  // With a byte order mark, and without one: half of the bytes of ASCII text are 0 in UTF-16.
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0))
    throw new NotTextError(1, 'is UTF-16 or binary; save it as UTF-8');
  if (!isUtf8(bytes)) {
    const line = firstLineThatIsNotUtf8(bytes);
    throw new NotTextError(line, `is not UTF-8: line ${line} has other bytes; save it as UTF-8`);
  }
  return new TextDecoder().decode(bytes);
}

/** The meaning of the system codes that a wrong path or a wrong owner causes. */
const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'the user of this process lacks the permission',
};

/**
 * Returns the end of a sentence that begins with a file that could not be read: the code of the
 * system's error, or the fault of the bytes.
 */
export function readFault(error: unknown): string {
  if (error instanceof NotTextError) return error.message;
  const code = systemErrorCode(error);
  const reason = Object.hasOwn(REASONS, code) ? `, because ${REASONS[code]}` : '';
  return `cannot be read${reason} (${code})`;
}

/** A line feed is never part of a longer UTF-8 sequence, so each line can be checked alone. */
function firstLineThatIsNotUtf8(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (!isUtf8(bytes.subarray(start, end < 0 ? bytes.length : end))) break;
    start = end < 0 ? bytes.length : end + 1;
  }
  return line;
}

/** Returns the text of a file, or undefined if it cannot be read. */
export function readIfPossible(path: string, readFile: (path: string) => string): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}
