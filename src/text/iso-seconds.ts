/**
 * An instant in the form of RFC 3339, UTC, cut to whole seconds: `2026-11-23T10:10:00Z`.
 * @param second since 1970.
 * @throws RangeError for a second that no `Date` can hold.
 */
export function isoSeconds(second: number): string {
  return `${new Date(second * 1000).toISOString().slice(0, -'.000Z'.length)}Z`;
}
