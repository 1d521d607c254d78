import { createHmac, hash, type KeyObject } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** What a signing key is good for: one day, one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** An instant as `yyyymmddThhmmssZ`, UTC, cut to whole seconds. */
export function ossDate(instant: Date): string {
  const iso = instant.toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/** The credential scope as it stands in `x-oss-credential` and in the string to sign. */
export function scopeText({ date, region, product }: Scope): string {
  return `${date}/${region}/${product}/aliyun_v4_request`;
}

/** The string to sign of a canonical request. `instant` is in the form of {@link ossDate}. */
export function stringToSign(instant: string, scope: Scope, canonicalRequest: string): string {
  return [ALGORITHM, instant, scopeText(scope), hash('sha256', canonicalRequest, 'hex')].join('\n');
}

/** The key of one day, region and product, derived from the secret. It can be kept for as long as the scope holds. */
export function deriveSigningKey(accessKeySecret: string, { date, region, product }: Scope): Buffer {
  return [date, region, product, 'aliyun_v4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`aliyun_v4${accessKeySecret}`),
  );
}

/** The signature: 64 hex digits. */
export function sign(signingKey: Buffer | KeyObject, text: string): string {
  return createHmac('sha256', signingKey).update(text).digest('hex');
}
