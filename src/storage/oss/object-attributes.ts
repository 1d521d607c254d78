import type { ObjectAttributes, ObjectUpload } from '../object-storage.ts';
import { METADATA_PREFIX } from './object-headers.ts';
import type { Header } from './signing/canonical-headers.ts';

/**
 * Returns a function that lists the attributes of the object that an upload creates, as OSS
 * describes it later. A value that no upload changes is the same in each result.
 * @param common the headers of all uploads. An upload has none of them itself, except for
 *   Content-Disposition, where the upload's own replaces the common one.
 */
export function prepareAttributes(
  common: readonly Header[],
): (upload: Omit<ObjectUpload, 'contentLength'>) => ObjectAttributes {
  const values = new Map(common.map(({ name, value }) => [name.lowerCase, value.trim()]));
  const metadata = withoutPrototype(
    [...values]
      .filter(([name]) => name.startsWith(METADATA_PREFIX))
      .map(([name, value]) => [name.slice(METADATA_PREFIX.length), value]),
  );
  const cacheControl = values.get('cache-control');
  const contentDisposition = values.get('content-disposition');
  const contentEncoding = values.get('content-encoding');
  const expires = values.get('expires');
  return (upload) => ({
    metadata: joined(metadata, upload.metadata),
    cacheControl: upload.cacheControl ?? cacheControl,
    contentDisposition: upload.contentDisposition ?? contentDisposition,
    contentEncoding: upload.contentEncoding ?? contentEncoding,
    expires,
  });
}

/** Joins two sets of metadata. Most uploads have at most one of them, which is then the result. */
function joined(
  common: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (isEmpty(own)) return common;
  if (isEmpty(common)) return own;
  return withoutPrototype([...Object.entries(common), ...Object.entries(own)]);
}

function isEmpty(metadata: Readonly<Record<string, string>>): boolean {
  for (const _name in metadata) return false;
  return true;
}

/** A caller may name its metadata `__proto__`. */
function withoutPrototype(entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const record: Record<string, string> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}
