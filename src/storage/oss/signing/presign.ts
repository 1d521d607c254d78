import type { Endpoint } from '../endpoint.ts';
import { signUrl } from './sign-url.ts';
import { ossInstant, stringToSign } from './signature.ts';
import type { SigningCredentials } from './signer.ts';

export type PresignInput = {
  readonly credentials: SigningCredentials;
  readonly method: string;
  /** The region id of the bucket, without `oss-`. */
  readonly region: string;
  /** `oss` by default; CloudBox has another. */
  readonly product?: string;
  readonly bucket: string;
  readonly key: string;
  readonly endpoint: Endpoint;
  /** The headers that the client will send. Names in any case; values of printable ASCII, not blank, signed trimmed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names of headers to sign though OSS does not by default; those that `headers` lacks do not count. */
  readonly additionalHeaders?: readonly string[];
  /** Further query parameters, not encoded; `''` stands for a name without a value. */
  readonly query?: Readonly<Record<string, string>>;
  readonly signedAt: Date;
  /** 1…604800. */
  readonly expiresInSeconds: number;
};

export type Presigned = {
  readonly url: string;
  readonly signature: string;
  readonly canonicalRequest: string;
  readonly stringToSign: string;
};

/**
 * Signs any OSS request into its URL (OSS V4, `OSS4-HMAC-SHA256` in the query). Pure: the same input gives the same URL.
 * The intermediate strings hold the security token; they are for tests.
 * @throws TypeError for input that OSS would refuse, without repeating any of it.
 */
export function presign(input: PresignInput): Presigned {
  const { method, region, product = 'oss', additionalHeaders = [], signedAt } = input;
  const signed = signUrl(input, method, additionalHeaders);
  const { text, date } = ossInstant(signedAt);
  return { ...signed, stringToSign: stringToSign(text, { date, region, product }, signed.canonicalRequest) };
}
