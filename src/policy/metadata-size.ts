/** OSS's limit for all `x-oss-meta-*` headers of an object together, names and values, in bytes. */
export const MAX_METADATA_BYTES = 8192;

/** What metadata counts towards {@link MAX_METADATA_BYTES}. Names are without `x-oss-meta-`; all is ASCII. */
export function metadataBytes(entries: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const name in entries) bytes += 'x-oss-meta-'.length + name.length + (entries[name]?.length ?? 0);
  return bytes;
}
