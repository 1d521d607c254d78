import { type FileHandle, open } from 'node:fs/promises';

/** The data of an object besides its bytes. */
export type ObjectRecord = {
  readonly key: string;
  readonly sizeBytes: number;
  /**
   * Without quotes. Upper-case hex: the MD5 of what PutObject stored, else 32 random digits, with
   * the number of parts after a multipart upload.
   */
  readonly etag: string;
  /** Undefined after a multipart upload. */
  readonly contentMd5?: string;
  readonly crc64: string;
  readonly lastModifiedAt: string;
  readonly acl: string;
  /** In a bucket with versions only. */
  readonly versionId?: string;
  /** Key of the object to which this one is a symbolic link. */
  readonly symlinkTarget?: string;
  /**
   * The folder of the bytes, after a multipart upload. The file of the object then has a list of
   * `PartFile` in their place.
   */
  readonly partFolder?: string;
  /** Headers to serve back, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
};

const LENGTH_BYTES = 4;

/** Writes all bytes. One `write` may take fewer bytes than it was given. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset);
    offset += bytesWritten;
  }
}

/** Ends the file of an object: its record as JSON, and the length of that (4 bytes, big endian). */
export async function writeRecord(handle: FileHandle, record: ObjectRecord): Promise<void> {
  const json = Buffer.from(JSON.stringify(record));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  await writeAll(handle, Buffer.concat([json, length]));
}

/** Opens a file for reading; null if it does not exist. */
export async function openExisting(path: string): Promise<FileHandle | null> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? null : Promise.reject(error),
  );
}

/** Reads the record of an object, and how many bytes of its file are before it. */
export async function readRecord(
  handle: FileHandle,
): Promise<{ readonly record: ObjectRecord; readonly contentBytes: number }> {
  const { size } = await handle.stat();
  const length = await readBytes(handle, size - LENGTH_BYTES, LENGTH_BYTES);
  const jsonBytes = length.readUInt32BE();
  const contentBytes = size - LENGTH_BYTES - jsonBytes;
  const json = await readBytes(handle, contentBytes, jsonBytes);
  return { record: JSON.parse(json.toString()), contentBytes };
}

/** Reads bytes of a file that has them. */
export async function readBytes(handle: FileHandle, start: number, count: number): Promise<Buffer> {
  const { buffer } = await handle.read(Buffer.alloc(count), 0, count, start);
  return buffer;
}
