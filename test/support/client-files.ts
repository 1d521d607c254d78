import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const MIB = 1024 ** 2;

/** The files that every client uploads. Their keys are below `users/alice/`. */
export const FILES = [
  { title: 'a text file', name: 'note.txt', type: 'text/plain', bytes: 'Hello, bucket\n' },
  { title: 'a file of 0 bytes', name: 'empty.txt', type: 'text/plain', bytes: '' },
  {
    title: 'a file and key with a space, +, %, Chinese characters and an emoji',
    name: '100% + 你好 😀 %2B.txt',
    type: 'text/plain',
    bytes: 'odd\n',
  },
] as const;

export const LARGE_FILE = {
  title: 'a file of 300 MiB',
  name: 'film.mp4',
  type: 'video/mp4',
  bytes: 300 * MIB,
} as const;

/** Files whose types clients guess and a rule of `policy.example.yaml` allows. The third has a name as macOS writes it. */
export const UNTYPED_FILES = [
  { name: 'photo.PNG', type: 'image/png', bytes: 'not really a picture\n' },
  { name: 'report.csv', type: 'text/csv', bytes: 'a,b\n' },
  { name: 'Cafe\u0301.txt', type: 'text/plain', bytes: 'decomposed\n' },
  { name: 'data.unheard-of', type: 'application/octet-stream', bytes: '?\n' },
] as const;

/** Writes one of them into `directory`. A file that is given by its size holds random bytes. */
export async function writeFile(
  directory: string,
  { name, bytes }: { readonly name: string; readonly bytes: string | number },
): Promise<void> {
  const file = await open(join(directory, name), 'w');
  if (typeof bytes === 'string') await file.write(bytes);
  else for (let written = 0; written < bytes; written += MIB) await file.write(randomBytes(MIB));
  await file.close();
}

/** SHA-256 in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
