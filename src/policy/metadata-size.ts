/**
 * Returns the bytes of metadata, as `MAX_METADATA_BYTES` counts them. Names are without
 * `x-oss-meta-`; all texts are ASCII.
 */
export function metadataBytes(entries: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const name in entries) bytes += 'x-oss-meta-'.length + name.length + (entries[name]?.length ?? 0);
  return bytes;
}
