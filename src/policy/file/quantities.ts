const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TB: 1e12,
  TiB: 1024 ** 4,
};

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a size such as `50MiB`, `1.5GB`, `500 KB` or a plain number of bytes. A decimal fraction of
 * a larger unit is seldom a whole number of bytes, so it is rounded down: `5.1GiB`, `48.8TiB`.
 * @returns whole bytes, or undefined if the text is not a size.
 */
export function parseSizeBytes(size: string | number): number | undefined {
  const bytes = parseQuantity(size, BYTES_PER_UNIT, 'B');
  return bytes === undefined || isFractionOfBytes(size, bytes) ? undefined : Math.floor(bytes);
}

function isFractionOfBytes(size: string | number, bytes: number): boolean {
  return !Number.isInteger(bytes) && !/[KMGT]/.test(String(size));
}

/**
 * Reads a duration such as `90s`, `10m`, `1h`, `7d` or a plain number of seconds.
 * @returns whole seconds, or undefined if the text is not a duration.
 */
export function parseDurationSeconds(duration: string | number): number | undefined {
  const seconds = parseQuantity(duration, SECONDS_PER_UNIT, 's');
  return Number.isInteger(seconds) ? seconds : undefined;
}

/** @returns the quantity in the smallest unit, a whole number if it is one in decimal. */
function parseQuantity(
  quantity: string | number,
  units: Readonly<Record<string, number>>,
  defaultUnit: string,
): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?) ?([A-Za-z]{0,3})$/.exec(String(quantity));
  const unit = match?.[2] || defaultUnit;
  if (!match || !Object.hasOwn(units, unit)) return undefined;
  const value = Number(match[1]) * (units[unit] ?? Number.NaN);
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) return undefined;
  // Rounded: 1.1GB is a whole number of bytes, but 1.1 × 1e9 is not one in binary floating point.
  return Math.abs(whole - value) < 1e-4 ? whole : value;
}
