import { KeptValues } from '../../storage/oss/signing/kept-values.ts';

/** The second of now, and that of each expiry that callers of this second ask for. */
const kept = new KeptValues<string, number>(256);

/**
 * An instant as RFC 3339 writes it, UTC, cut to whole seconds: `2026-11-23T10:10:00Z`. Kept by the second, since the engine takes a
 * microsecond for each text, and all who ask within one second are told the same.
 * @throws RangeError for an invalid date.
 */
export function isoSeconds(instant: Date): string {
  const second = Math.floor(instant.getTime() / 1000);
  return (
    kept.get(second) ??
    kept.keep(second, `${new Date(second * 1000).toISOString().slice(0, -'.000Z'.length)}Z`)
  );
}
