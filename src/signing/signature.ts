import { createHmac, hash } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** What a signing key is good for: one day, one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** A second in the forms in which it is signed. */
export type OssInstant = { readonly text: string; readonly date: string };

/**
 * An instant, cut to whole seconds, as `yyyymmddThhmmssZ` and its day as `yyyymmdd`, UTC.
 * @throws RangeError for an invalid date.
 */
export function ossInstant(instant: Date): OssInstant {
  const iso = instant.toISOString();
  const date = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}`;
  return { text: `${date}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`, date };
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
