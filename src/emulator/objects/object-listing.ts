import type { ObjectRecord } from './object-file.ts';

/** The part of a bucket that a listing shows. */
export type ListingFilter = {
  readonly prefix: string;
  /** Keys with the same text up to the first delimiter after the prefix are one entry. */
  readonly delimiter: string;
  /** Only keys after this one. */
  readonly after: string;
  /** The last entry of the previous page, if it is not the first page. */
  readonly afterEntry: string;
  readonly maxEntries: number;
};

/** An object, or a common prefix of keys. */
export type ListingEntry = { readonly name: string; readonly record: ObjectRecord | null };

export type Listing = { readonly entries: readonly ListingEntry[]; readonly isTruncated: boolean };

/**
 * Selects one page of a listing, in the order of the UTF-8 bytes of the names. Needs the memory of
 * one page, however many objects there are.
 */
export async function selectPage(
  records: AsyncIterable<ObjectRecord>,
  { prefix, delimiter, after, afterEntry, maxEntries }: ListingFilter,
): Promise<Listing> {
  // One entry more than the page, which shows whether there is another page.
  const kept: ListingEntry[] = [];
  for await (const record of records) {
    const { key } = record;
    if (!key.startsWith(prefix) || compareUtf8(key, after) <= 0) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = end < 0 ? key : key.slice(0, end + delimiter.length);
    if (compareUtf8(name, afterEntry) <= 0) continue;
    const index = findPlace(kept, name);
    if (kept[index]?.name === name) continue;
    kept.splice(index, 0, { name, record: end < 0 ? record : null });
    if (kept.length > maxEntries + 1) kept.pop();
  }
  return { entries: kept.slice(0, maxEntries), isTruncated: kept.length > maxEntries };
}

/** The index of the first entry that is not before the name. */
function findPlace(entries: readonly ListingEntry[], name: string): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(entries[middle]?.name ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Compares by UTF-8 bytes. JavaScript compares by UTF-16, another order beyond U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
