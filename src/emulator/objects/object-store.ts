import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ByteRange } from './byte-range.ts';
import { createLocks } from './locks.ts';
import {
  type ObjectRecord,
  openExisting,
  readBytes,
  readRecord,
  writeAll,
  writeRecord,
} from './object-file.ts';
import { type OpenParts, openPartFiles, type PartFile, type PartFiles } from './part-files.ts';

/**
 * An object that is open for reading. Its bytes stay readable even if it is replaced or deleted.
 */
export type StoredObject = {
  readonly record: ObjectRecord;
  /** Reads the bytes of a range that is within the object. */
  read(range: ByteRange): Readable;
  close(): Promise<void>;
};

/** An upload in progress. It is invisible before `commit`. */
export type Draft = {
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Stores the object in one step. Resolves with false, and changes nothing, if an object exists
   * that it may not replace.
   */
  commit(record: ObjectRecord, mayReplace: boolean): Promise<boolean>;
  /** Makes it a part in a folder instead. Resolves with the name of its file there. */
  keepAsPart(folder: string): Promise<string>;
  /** Removes what was written. Does nothing after it was stored. */
  discard(): Promise<void>;
};

export type ObjectStore = {
  has(bucket: string, key: string): Promise<boolean>;
  /** The caller closes the object. */
  open(bucket: string, key: string): Promise<StoredObject | null>;
  /** The records of all objects, in no order. Those that are removed meanwhile may be missing. */
  list(bucket: string): AsyncIterable<ObjectRecord>;
  remove(bucket: string, key: string): Promise<void>;
  draft(bucket: string): Promise<Draft>;
  readonly parts: PartFiles;
};

/**
 * Stores objects on disk. One object is one file: its bytes, then its record. So one `rename` or
 * `link` changes bytes and record together. The file name is the SHA-256 of the key, so every key
 * is safe. Only the bytes of multipart uploads are in folders of their own. Uploads that a crash
 * left are removed when the store is opened.
 */
export async function openObjectStore(directory: string, buckets: Iterable<string>): Promise<ObjectStore> {
  const bucketNames = [...buckets];
  const uploads = join(directory, '.uploads');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(uploads, { recursive: true });
  for (const bucket of bucketNames) await mkdir(join(directory, bucket), { recursive: true });
  const parts = await openPartFiles(join(directory, '.parts'), bucketNames);
  const pathOf = (bucket: string, key: string) => join(directory, bucket, hashOf(key));
  /** For each object, what has to see or change its file and its folder together. */
  const locked = createLocks();

  for (const bucket of bucketNames) {
    for await (const folder of parts.folders(bucket)) {
      const [hash = ''] = folder.split('-');
      const isOfObject = (await folderOf(join(directory, bucket, hash))) === folder;
      if (!isOfObject) await parts.removeFolder(bucket, folder);
    }
  }

  return {
    parts,
    has: async (bucket, key) => {
      const handle = await openExisting(pathOf(bucket, key));
      await handle?.close();
      return handle !== null;
    },
    open: (bucket, key) =>
      locked(pathOf(bucket, key), async () => {
        const handle = await openExisting(pathOf(bucket, key));
        if (handle === null) return null;
        try {
          const { record, contentBytes } = await readRecord(handle);
          if (record.partFolder !== undefined) {
            const folder = parts.open(bucket, record.partFolder);
            return assembledObject(record, { folder, handle, listBytes: contentBytes });
          }
          return {
            record,
            read: (range) => handle.createReadStream({ ...range, autoClose: false }),
            close: () => handle.close(),
          };
        } catch (error) {
          await handle.close();
          throw error;
        }
      }),
    list: async function* (bucket) {
      for await (const { name } of await opendir(join(directory, bucket))) {
        const handle = await openExisting(join(directory, bucket, name));
        if (handle === null) continue;
        try {
          yield (await readRecord(handle)).record;
        } finally {
          await handle.close();
        }
      }
    },
    remove: (bucket, key) => {
      const path = pathOf(bucket, key);
      return locked(path, async () => {
        const folder = await folderOf(path);
        await rm(path, { force: true });
        if (folder !== undefined) await parts.removeFolder(bucket, folder);
      });
    },
    draft: async (bucket) => {
      const path = join(uploads, randomUUID());
      const handle = await open(path, 'wx');
      return {
        write: (bytes) => writeAll(handle, bytes),
        commit: async (record, mayReplace) => {
          await writeRecord(handle, record);
          await handle.close();
          const target = pathOf(bucket, record.key);
          return locked(target, async () => {
            if (mayReplace) {
              const folder = await folderOf(target);
              await rename(path, target);
              if (folder !== undefined) await parts.removeFolder(bucket, folder);
              return true;
            }
            // link() checks and creates in one step, so it never replaces an object.
            const isFirst = await link(path, target).then(
              () => true,
              (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : Promise.reject(error)),
            );
            await rm(path);
            return isFirst;
          });
        },
        keepAsPart: async (folder) => {
          await handle.close();
          return parts.add(bucket, folder, path);
        },
        discard: async () => {
          await handle.close();
          await rm(path, { force: true });
        },
      };
    },
  };
}

/** The name of the folder for the parts of an upload: with the name of the file of its object. */
export function partFolderOf(key: string, uploadId: string): string {
  return `${hashOf(key)}-${uploadId}`;
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The folder of the parts of an object, if there is such an object and it has one. */
async function folderOf(path: string): Promise<string | undefined> {
  const handle = await openExisting(path);
  if (handle === null) return undefined;
  try {
    return (await readRecord(handle)).record.partFolder;
  } finally {
    await handle.close();
  }
}

/** An object whose file has the list of its parts, which are in a folder. */
function assembledObject(
  record: ObjectRecord,
  {
    folder,
    handle,
    listBytes,
  }: { readonly folder: OpenParts; readonly handle: FileHandle; readonly listBytes: number },
): StoredObject {
  const readParts = async function* (range: ByteRange) {
    const list = await readBytes(handle, 0, listBytes);
    yield* folder.read(JSON.parse(list.toString()) as PartFile[], range);
  };
  return {
    record,
    read: (range) => Readable.from(readParts(range), { objectMode: false }),
    close: async () => {
      await handle.close();
      await folder.close();
    },
  };
}
