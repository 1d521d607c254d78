import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ByteRange } from './byte-range.ts';

/** The data of an object besides its bytes. */
export type ObjectRecord = {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. Upper-case hex: the MD5 of what PutObject stored, else 32 random digits. */
  readonly etag: string;
  readonly contentMd5: string;
  readonly crc64: string;
  readonly lastModifiedAt: string;
  readonly acl: string;
  /** In a bucket with versions only. */
  readonly versionId?: string;
  /** Key of the object to which this one is a symbolic link. */
  readonly symlinkTarget?: string;
  /** Headers to serve back, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
};

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
  /** Removes what was written. Does nothing after a `commit`. */
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
};

const LENGTH_BYTES = 4;

/**
 * Stores objects on disk. One object is one file: its bytes, then its record as JSON, then the
 * record's length (4 bytes, big endian). So one `rename` or `link` changes bytes and record
 * together. The file name is the SHA-256 of the key, so every key is safe. Uploads that a crash
 * left are removed when the store is opened.
 */
export async function openObjectStore(directory: string, buckets: Iterable<string>): Promise<ObjectStore> {
  const uploads = join(directory, '.uploads');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(uploads, { recursive: true });
  for (const bucket of buckets) await mkdir(join(directory, bucket), { recursive: true });
  const pathOf = (bucket: string, key: string) =>
    join(directory, bucket, createHash('sha256').update(key).digest('hex'));

  return {
    has: async (bucket, key) => {
      const handle = await openExisting(pathOf(bucket, key));
      await handle?.close();
      return handle !== null;
    },
    open: async (bucket, key) => {
      const handle = await openExisting(pathOf(bucket, key));
      if (handle === null) return null;
      try {
        return {
          record: await readRecord(handle),
          read: (range) => handle.createReadStream({ ...range, autoClose: false }),
          close: () => handle.close(),
        };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    list: async function* (bucket) {
      for await (const { name } of await opendir(join(directory, bucket))) {
        const handle = await openExisting(join(directory, bucket, name));
        if (handle === null) continue;
        try {
          yield await readRecord(handle);
        } finally {
          await handle.close();
        }
      }
    },
    remove: (bucket, key) => rm(pathOf(bucket, key), { force: true }),
    draft: async (bucket) => {
      const path = join(uploads, randomUUID());
      const handle = await open(path, 'wx');
      return {
        write: (bytes) => writeAll(handle, bytes),
        commit: async (record, mayReplace) => {
          const json = Buffer.from(JSON.stringify(record));
          const length = Buffer.alloc(LENGTH_BYTES);
          length.writeUInt32BE(json.length);
          await writeAll(handle, Buffer.concat([json, length]));
          await handle.close();
          const target = pathOf(bucket, record.key);
          if (mayReplace) {
            await rename(path, target);
            return true;
          }
          // link() checks and creates in one step, so only one of two uploads at the same time
          // succeeds.
          const isFirst = await link(path, target).then(
            () => true,
            (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : Promise.reject(error)),
          );
          await rm(path);
          return isFirst;
        },
        discard: async () => {
          await handle.close();
          await rm(path, { force: true });
        },
      };
    },
  };
}

/** One `write` may take fewer bytes than it was given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset);
    offset += bytesWritten;
  }
}

async function openExisting(path: string): Promise<FileHandle | null> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? null : Promise.reject(error),
  );
}

async function readRecord(handle: FileHandle): Promise<ObjectRecord> {
  const { size } = await handle.stat();
  const { buffer: length } = await handle.read(
    Buffer.alloc(LENGTH_BYTES),
    0,
    LENGTH_BYTES,
    size - LENGTH_BYTES,
  );
  const jsonBytes = length.readUInt32BE();
  const { buffer: json } = await handle.read(
    Buffer.alloc(jsonBytes),
    0,
    jsonBytes,
    size - LENGTH_BYTES - jsonBytes,
  );
  return JSON.parse(json.toString());
}
