import { MAX_EXPIRES_IN_SECONDS } from '../../limits.ts';
import type { SigningCredentials } from '../../object-storage.ts';
import { bucketAddress, type Endpoint } from '../endpoint.ts';
import { canonicalHeaders, header, headerName } from './canonical-headers.ts';
import { canonicalQuery, canonicalRequest } from './canonical-request.ts';
import { percentEncode, percentEncodePath } from './percent-encode.ts';
import { SigningKey } from './signing-key.ts';
import { ALGORITHM, ossInstant, scopeText, stringToSign } from './string-to-sign.ts';

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
  /**
   * The headers that the client will send. Names are in any case. Values are printable ASCII, not
   * blank, and are signed trimmed.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Names, in any case, of headers that OSS signs only on request. Names that `headers` lacks are
   * ignored.
   */
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
 * Presigns any OSS request (OSS V4, `OSS4-HMAC-SHA256` in the query), step by step as in the
 * specification. Pure: the same input gives the same URL. The intermediate strings contain the
 * security token; they are for tests.
 * @throws TypeError for input that OSS would reject, without repeating any of it.
 */
export function presign(input: PresignInput): Presigned {
  const { credentials, method, region, product = 'oss', bucket, key, endpoint, expiresInSeconds } = input;
  checkExpiry(expiresInSeconds);
  const additional = new Set(input.additionalHeaders?.map((name) => name.toLowerCase()));
  const headers = canonicalHeaders(
    Object.entries(input.headers)
      .map(([name, value]) => header(headerName(name), value))
      .filter(({ name }) => !name.isAdditional || additional.has(name.lowerCase)),
  );
  const { text: instant, date } = ossInstant(input.signedAt);
  const scope = { date, region, product };
  const { accessKeyId, accessKeySecret, securityToken } = credentials;
  const query = canonicalQuery({
    ...input.query,
    'x-oss-signature-version': ALGORITHM,
    'x-oss-credential': `${accessKeyId}/${scopeText(scope)}`,
    'x-oss-date': instant,
    'x-oss-expires': String(expiresInSeconds),
    ...(securityToken !== undefined && { 'x-oss-security-token': securityToken }),
    ...(headers.additionalNames !== '' && { 'x-oss-additional-headers': headers.additionalNames }),
  });
  const path = percentEncodePath(key);
  const request = canonicalRequest(method, `/${percentEncode(bucket)}/${path}`, query, headers);
  const signature = new SigningKey(accessKeySecret, scope).sign(instant, request);
  const { origin, pathPrefix } = bucketAddress(endpoint, bucket, region);
  return {
    // The canonical query is itself a valid query, so the signed and the sent query are the same
    // text.
    url: `${origin}${pathPrefix}/${path}?${query}&x-oss-signature=${signature}`,
    signature,
    canonicalRequest: request,
    stringToSign: stringToSign(instant, scope, request),
  };
}

/** @throws TypeError for a validity that OSS would reject. */
export function checkExpiry(expiresInSeconds: number): void {
  if (
    !Number.isInteger(expiresInSeconds) ||
    expiresInSeconds < 1 ||
    expiresInSeconds > MAX_EXPIRES_IN_SECONDS
  ) {
    throw new TypeError(`expiresInSeconds must be a whole number from 1 to ${MAX_EXPIRES_IN_SECONDS}`);
  }
}
