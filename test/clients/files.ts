import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const MIB = 1024 ** 2;

/** What every client has to get across. Keys stand below `users/alice/`. */
export const FILES = [
  { title: 'a text file', name: 'note.txt', type: 'text/plain', bytes: 'Hello, bucket\n' },
  { title: 'a file of 0 bytes', name: 'empty.txt', type: 'text/plain', bytes: '' },
  {
    title: 'a file and key with a space, +, % and Chinese characters',
    name: '100% + 你好 %2B.txt',
    type: 'text/plain',
    bytes: 'odd\n',
  },
  { title: 'a file of 300 MiB', name: 'film.mp4', type: 'video/mp4', bytes: 300 * MIB },
] as const;

/** Writes them all into `directory`; those that are told by their size hold random bytes. */
export async function writeFiles(directory: string): Promise<void> {
  for (const { name, bytes } of FILES) {
    const path = join(directory, name);
    if (typeof bytes === 'string') {
      await writeFile(path, bytes);
      continue;
    }
    const file = await open(path, 'w');
    for (let written = 0; written < bytes; written += MIB) await file.write(randomBytes(MIB));
    await file.close();
  }
}

/** SHA-256 in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
