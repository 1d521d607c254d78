import { hash } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** What a signing key is valid for: one day (`yyyymmdd`, UTC), one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** A second in the forms in which it is signed: `yyyymmddThhmmssZ` and its day, `yyyymmdd`, both UTC. */
export type OssInstant = { readonly text: string; readonly date: string };

/**
 * An instant, cut to whole seconds.
 * @throws RangeError for an invalid date.
 */
export function ossInstant(instant: Date): OssInstant {
  const iso = instant.toISOString();
  const date = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}`;
  return { text: `${date}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`, date };
}

/** The credential scope, which is part of `x-oss-credential` and of the string to sign. */
export function scopeText({ date, region, product }: Scope): string {
  return `${date}/${region}/${product}/aliyun_v4_request`;
}

/** The string to sign of a canonical request. `instant` has the form of {@link OssInstant}'s text. */
export function stringToSign(instant: string, scope: Scope, canonicalRequest: string): string {
  return `${ALGORITHM}\n${instant}\n${scopeText(scope)}\n${hash('sha256', canonicalRequest, 'hex')}`;
}
