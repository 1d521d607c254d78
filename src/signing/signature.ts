import { createHmac, hash } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** What a signing key is good for: one day, one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** An instant as `yyyymmddThhmmssZ`, UTC, cut to whole seconds. */
export function ossDate(instant: Date): string {
  return instant.toISOString().replace(/[-:]|\.\d{3}/g, '');
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
    (key, part) => hmac(key, part),
    Buffer.from(`aliyun_v4${accessKeySecret}`),
  );
}

/** The signature: 64 hex digits. */
export function sign(signingKey: Buffer, text: string): string {
  return hmac(signingKey, text).toString('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
