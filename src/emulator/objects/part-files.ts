import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, opendir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteRange } from './byte-range.ts';

/** One of the files that together are an object. */
export type PartFile = { readonly name: string; readonly sizeBytes: number };

/**
 * The folders with the parts of multipart uploads. A folder belongs to its upload first, and then
 * to the object that the upload became, so that no bytes are copied.
 */
export type PartFiles = {
  create(bucket: string, folder: string): Promise<void>;
  /** Moves a file into the folder. Returns its name there. */
  add(bucket: string, folder: string, path: string): Promise<string>;
  remove(bucket: string, folder: string, name: string): Promise<void>;
  /** Removes the folder with its files, once it is no longer open. */
  removeFolder(bucket: string, folder: string): Promise<void>;
  /** Keeps the folder until `close`. */
  open(bucket: string, folder: string): OpenParts;
  folders(bucket: string): AsyncIterable<string>;
};

export type OpenParts = {
  /** Reads a range of the bytes of the files, one after the other. */
  read(files: readonly PartFile[], range: ByteRange): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
};

/** Keeps the folders in a directory, by bucket. */
export async function openPartFiles(directory: string, buckets: Iterable<string>): Promise<PartFiles> {
  for (const bucket of buckets) await mkdir(join(directory, bucket), { recursive: true });
  const pathOf = (bucket: string, folder: string) => join(directory, bucket, folder);
  const delayed = new Set<string>();
  const readers = new Map<string, number>();
  const removePath = (path: string) => rm(path, { recursive: true, force: true });

  return {
    create: (bucket, folder) => mkdir(pathOf(bucket, folder)),
    add: async (bucket, folder, path) => {
      const name = randomUUID();
      await rename(path, join(pathOf(bucket, folder), name));
      return name;
    },
    remove: (bucket, folder, name) => rm(join(pathOf(bucket, folder), name), { force: true }),
    removeFolder: async (bucket, folder) => {
      const path = pathOf(bucket, folder);
      if (readers.has(path)) delayed.add(path);
      else await removePath(path);
    },
    open: (bucket, folder) => {
      const path = pathOf(bucket, folder);
      readers.set(path, (readers.get(path) ?? 0) + 1);
      return {
        read: (files, range) => readFiles(path, files, range),
        close: async () => {
          const others = (readers.get(path) ?? 0) - 1;
          if (others > 0) {
            readers.set(path, others);
            return;
          }
          readers.delete(path);
          if (delayed.delete(path)) await removePath(path);
        },
      };
    },
    folders: async function* (bucket) {
      for await (const { name } of await opendir(join(directory, bucket))) yield name;
    },
  };
}

async function* readFiles(
  path: string,
  files: readonly PartFile[],
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const { name, sizeBytes } of files) {
    const first = Math.max(start - offset, 0);
    const last = Math.min(end - offset, sizeBytes - 1);
    if (first <= last) yield* createReadStream(join(path, name), { start: first, end: last });
    offset += sizeBytes;
    if (offset > end) return;
  }
}
