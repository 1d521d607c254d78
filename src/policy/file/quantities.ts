const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads a size such as `50MiB`, `1.5GB`, `500 KB` or a plain number of bytes.
 * @returns whole bytes, or undefined if the text is not a size.
 */
export function parseSizeBytes(size: string | number): number | undefined {
  return parseQuantity(size, BYTES_PER_UNIT, 'B');
}

/**
 * Reads a duration such as `90s`, `10m`, `1h`, `7d` or a plain number of seconds.
 * @returns whole seconds, or undefined if the text is not a duration.
 */
export function parseDurationSeconds(duration: string | number): number | undefined {
  return parseQuantity(duration, SECONDS_PER_UNIT, 's');
}

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
  // Rounded: 1.1GB is a whole number of bytes, but 1.1 × 1e9 is not one in binary floating point.
  return Number.isSafeInteger(whole) && Math.abs(whole - value) < 1e-4 ? whole : undefined;
}
