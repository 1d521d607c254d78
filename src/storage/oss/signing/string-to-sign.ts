import { hash } from 'node:crypto';

export const ALGORITHM = 'OSS4-HMAC-SHA256';

/** The scope of a signing key: one day (`yyyymmdd`, UTC), one region, one product. */
export type Scope = { readonly date: string; readonly region: string; readonly product: string };

/** A second as it is signed: `yyyymmddThhmmssZ` and its day `yyyymmdd`, both UTC. */
export type OssInstant = { readonly text: string; readonly date: string };

/**
 * Returns an instant, cut to whole seconds.
 * @throws RangeError for an invalid date.
 */
export function ossInstant(instant: Date): OssInstant {
  const iso = instant.toISOString();
  const date = `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}`;
  return { text: `${date}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`, date };
}

/** Returns the credential scope, which is part of `x-oss-credential` and of the string to sign. */
export function scopeText({ date, region, product }: Scope): string {
  return `${date}/${region}/${product}/aliyun_v4_request`;
}

/**
 * Returns the string to sign for a canonical request. `instant` is the text of an {@link
 * OssInstant}.
 */
export function stringToSign(instant: string, scope: Scope, canonicalRequest: string): string {
  return `${ALGORITHM}\n${instant}\n${scopeText(scope)}\n${hash('sha256', canonicalRequest, 'hex')}`;
}
