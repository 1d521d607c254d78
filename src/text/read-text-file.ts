import { closeSync, openSync, readSync } from 'node:fs';
import { decodeTextFile, MAX_TEXT_FILE_BYTES } from './text-file.ts';

/**
 * Reads a file as text, at most {@link MAX_TEXT_FILE_BYTES} and one chunk of it.
 *
 * The size is not checked first, because pipes and devices have none.
 * @throws NotTextError if it is too large or not UTF-8, or the system's error.
 */
export function readTextFile(path: string | URL): string {
  const file = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length <= MAX_TEXT_FILE_BYTES) {
      const chunk = Buffer.alloc(64 * 1024);
      const read = readSync(file, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      length += read;
    }
    return decodeTextFile(Buffer.concat(chunks));
  } finally {
    closeSync(file);
  }
}
