import { createHmac, hash } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** What a signing key is good for: one day, one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** A second in the forms in which it is signed, and its number since 1970. */
export type OssInstant = { readonly second: number; readonly text: string; readonly date: string };

let lastInstant: OssInstant = { second: Number.NaN, text: '', date: '' };

/**
 * An instant, cut to whole seconds, as `yyyymmddThhmmssZ` and its day as `yyyymmdd`, UTC. The last second is kept: writing
 * a date takes as long as a hash, and many are signed in the same second.
 * @throws RangeError for an invalid date.
 */
export function ossInstant(instant: Date): OssInstant {
  const second = Math.floor(instant.getTime() / 1000);
  if (second !== lastInstant.second) {
    const iso = instant.toISOString();
    const date = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}`;
    const text = `${date}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
    lastInstant = { second, text, date };
  }
  return lastInstant;
}

/** The credential scope as it stands in `x-oss-credential` and in the string to sign. */
export function scopeText({ date, region, product }: Scope): string {
  return `${date}/${region}/${product}/aliyun_v4_request`;
}

/** The string to sign of a canonical request. `instant` is in the form of {@link ossInstant}. */
export function stringToSign(instant: string, scope: Scope, canonicalRequest: string): string {
  return `${ALGORITHM}\n${instant}\n${scopeText(scope)}\n${hash('sha256', canonicalRequest, 'hex')}`;
}

/** The key of one day, region and product, derived from the secret. It can be kept for as long as the scope holds. */
export function deriveSigningKey(accessKeySecret: string, { date, region, product }: Scope): Buffer {
  return [date, region, product, 'aliyun_v4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`aliyun_v4${accessKeySecret}`),
  );
}
