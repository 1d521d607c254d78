/** What metadata counts towards `MAX_METADATA_BYTES`. Names are without `x-oss-meta-`; everything is ASCII. */
export function metadataBytes(entries: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const name in entries) bytes += 'x-oss-meta-'.length + name.length + (entries[name]?.length ?? 0);
  return bytes;
}
