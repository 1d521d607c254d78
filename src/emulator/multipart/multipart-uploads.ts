import { randomBytes } from 'node:crypto';
import { createLocks } from '../objects/locks.ts';
import { type Draft, type ObjectStore, partFolderOf } from '../objects/object-store.ts';
import type { PartFile } from '../objects/part-files.ts';
import type { PutHeaders } from '../objects/put-headers.ts';

export type UploadedPart = PartFile & {
  readonly partNumber: number;
  /** The MD5 of its bytes in upper-case hex, without quotes. */
  readonly etag: string;
  readonly crc64: string;
  readonly uploadedAt: Date;
};

/** A multipart upload that was neither completed nor aborted. */
export type MultipartUpload = {
  readonly bucket: string;
  readonly key: string;
  /** 32 upper-case hex digits. */
  readonly id: string;
  /** Those of the object, as InitiateMultipartUpload got them. */
  readonly headers: PutHeaders;
  readonly initiatedAt: Date;
  /** By their numbers, in the order of arrival. */
  readonly parts: ReadonlyMap<number, UploadedPart>;
};

/**
 * The multipart uploads that are under way. Their parts are on disk, the rest is in memory. All
 * that changes one upload happens in order.
 */
export type MultipartUploads = {
  initiate(upload: Omit<MultipartUpload, 'id' | 'parts'>): Promise<MultipartUpload>;
  /** Undefined if there is no upload of that id for that key. */
  find(bucket: string, key: string, id: string): MultipartUpload | undefined;
  /** All of a bucket, in no order. */
  list(bucket: string): readonly MultipartUpload[];
  /**
   * Adds a part, in the place of an earlier one with its number. Resolves with false if the upload
   * has ended meanwhile; the draft is then left to the caller.
   */
  addPart(upload: MultipartUpload, part: Omit<UploadedPart, 'name'>, draft: Draft): Promise<boolean>;
  /**
   * Ends an upload with what `assemble` does, while its parts cannot change. `assemble` resolves
   * with the parts that it used; all others are removed. If it rejects, the upload goes on.
   * Resolves with false if the upload has ended meanwhile.
   */
  complete(upload: MultipartUpload, assemble: () => Promise<readonly PartFile[]>): Promise<boolean>;
  /** Removes an upload with its parts. Resolves with false if it has ended meanwhile. */
  abort(upload: MultipartUpload): Promise<boolean>;
  /** Aborts all. */
  close(): Promise<void>;
};

/** Begins without any upload. The parts of earlier ones were removed when the store was opened. */
export function createMultipartUploads(store: ObjectStore): MultipartUploads {
  const uploads = new Map<string, MultipartUpload & { readonly parts: Map<number, UploadedPart> }>();
  const locked = createLocks();
  const folderOf = ({ key, id }: MultipartUpload) => partFolderOf(key, id);

  const abort = (upload: MultipartUpload) =>
    locked(upload.id, async () => {
      if (!uploads.delete(upload.id)) return false;
      await store.parts.removeFolder(upload.bucket, folderOf(upload));
      return true;
    });

  return {
    initiate: async (started) => {
      const upload = {
        ...started,
        id: randomBytes(16).toString('hex').toUpperCase(),
        parts: new Map<number, UploadedPart>(),
      };
      await store.parts.create(upload.bucket, folderOf(upload));
      uploads.set(upload.id, upload);
      return upload;
    },
    find: (bucket, key, id) => {
      const upload = uploads.get(id);
      return upload?.bucket === bucket && upload.key === key ? upload : undefined;
    },
    list: (bucket) => [...uploads.values()].filter((upload) => upload.bucket === bucket),
    addPart: ({ id }, part, draft) =>
      locked(id, async () => {
        const upload = uploads.get(id);
        if (!upload) return false;
        const folder = folderOf(upload);
        const name = await draft.keepAsPart(folder);
        const replaced = upload.parts.get(part.partNumber);
        upload.parts.set(part.partNumber, { ...part, name });
        if (replaced) await store.parts.remove(upload.bucket, folder, replaced.name);
        return true;
      }),
    complete: ({ id }, assemble) =>
      locked(id, async () => {
        const upload = uploads.get(id);
        if (!upload) return false;
        const used = new Set((await assemble()).map(({ name }) => name));
        uploads.delete(id);
        const unused = [...upload.parts.values()].filter(({ name }) => !used.has(name));
        for (const { name } of unused) await store.parts.remove(upload.bucket, folderOf(upload), name);
        return true;
      }),
    abort,
    close: async () => {
      await Promise.all([...uploads.values()].map(abort));
    },
  };
}
