import type { Endpoint } from '../endpoint.ts';
import { signUrl } from './sign-url.ts';
import type { SigningCredentials } from './signer.ts';

const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

export type PresignPutInput = {
  readonly credentials: SigningCredentials;
  /** The region id of the bucket, without `oss-`. */
  readonly region: string;
  readonly bucket: string;
  readonly endpoint: Endpoint;
  readonly key: string;
  /** The headers that the client has to send, verbatim: trimmed, of printable ASCII, not empty. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes; when given, OSS accepts exactly this many. */
  readonly contentLength?: number;
  /** Cut to whole seconds. */
  readonly signedAt: Date;
  /** 1…604800. */
  readonly expiresInSeconds: number;
};

export type PresignedPut = {
  readonly method: 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signedAt: Date;
  readonly expiresAt: Date;
};

/**
 * Signs a PutObject so that OSS accepts these headers and this length and nothing else: every header given is part of the
 * signature, also those that OSS does not sign by default (`Cache-Control`, `Content-Disposition`, …).
 * Source: OSS V4 signature in the URL; PutObject.
 * @throws TypeError for input that OSS would refuse, or a key that URL parsers would change.
 * @example
 * const { url, headers } = presignPut({
 *   credentials, region: 'cn-hangzhou', bucket: 'acme-media', endpoint: 'public', key: 'users/alice/photo.png',
 *   headers: { 'Content-Type': 'image/png' }, contentLength: 48213, signedAt: clock(), expiresInSeconds: 600,
 * });
 */
export function presignPut(input: PresignPutInput): PresignedPut {
  const { headers, key, signedAt, expiresInSeconds } = input;
  if (key === '' || DOT_SEGMENT.test(key)) {
    throw new TypeError('the key must not be empty nor hold a "." or ".." segment, which URL parsers remove');
  }
  const { url } = signUrl(input, 'PUT', 'every');
  const signedSecond = Math.floor(signedAt.getTime() / 1000);
  return {
    method: 'PUT',
    url,
    headers,
    signedAt: new Date(signedSecond * 1000),
    expiresAt: new Date((signedSecond + expiresInSeconds) * 1000),
  };
}
