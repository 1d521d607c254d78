import { compareUtf8 } from '../objects/object-listing.ts';
import type { MultipartUpload } from './multipart-uploads.ts';

/** The part of a bucket's multipart uploads that a page shows. */
export type UploadFilter = {
  readonly prefix: string;
  /** Keys with the same text up to the first delimiter after the prefix are one entry. */
  readonly delimiter: string;
  /** Only keys after this one. With `uploadIdMarker`, also its later ids of this key. */
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly maxEntries: number;
};

/** An upload, or a common prefix of keys. */
export type UploadEntry =
  | { readonly name: string; readonly upload: MultipartUpload }
  | { readonly name: string; readonly upload: null };

/** Selects a page of the multipart uploads, by the UTF-8 bytes of their keys, then by their ids. */
export function selectUploads(
  uploads: readonly MultipartUpload[],
  { prefix, delimiter, keyMarker, uploadIdMarker, maxEntries }: UploadFilter,
): { readonly entries: readonly UploadEntry[]; readonly isTruncated: boolean } {
  const isAfter = ({ key, id }: MultipartUpload) => {
    const order = compareUtf8(key, keyMarker);
    return order > 0 || (order === 0 && uploadIdMarker !== '' && id > uploadIdMarker);
  };
  const sorted = uploads
    .filter((upload) => upload.key.startsWith(prefix) && isAfter(upload))
    .sort((a, b) => compareUtf8(a.key, b.key) || (a.id < b.id ? -1 : 1));
  const entries: UploadEntry[] = [];
  for (const upload of sorted) {
    const end = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      entries.push({ name: upload.key, upload });
    } else {
      const name = upload.key.slice(0, end + delimiter.length);
      // The previous page can have ended with this common prefix.
      if (name !== keyMarker && name !== entries.at(-1)?.name) entries.push({ name, upload: null });
    }
    if (entries.length > maxEntries) return { entries: entries.slice(0, maxEntries), isTruncated: true };
  }
  return { entries, isTruncated: false };
}
