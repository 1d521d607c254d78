import { canonicalHeaders, header, headerName } from './canonical-headers.ts';
import { canonicalQuery, canonicalRequest } from './canonical-request.ts';
import { percentEncode, percentEncodePath } from './percent-encode.ts';
import type { Signer } from './signers.ts';
import { ALGORITHM } from './string-to-sign.ts';

const AUTHORIZATION = headerName('Authorization');
const DATE = headerName('x-oss-date');
const CONTENT_SHA256 = headerName('x-oss-content-sha256');
const SECURITY_TOKEN = headerName('x-oss-security-token');

export type AuthorizeInput = {
  readonly method: string;
  readonly bucket: string;
  /** `''` for the bucket itself. */
  readonly key: string;
  /** Sub-resources and other parameters, not encoded; `''` stands for a name without a value. */
  readonly query?: Readonly<Record<string, string>>;
  /**
   * Headers of the request, with names in any case. OSS signs `x-oss-*`, Content-Type and
   * Content-MD5, and the others only if `additionalHeaders` names them. The signer adds its own.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names, in any case, of headers that OSS signs only on request. */
  readonly additionalHeaders?: readonly string[];
};

export type Authorized = {
  /** The encoded key, and `?` with the query if there is one: what follows the bucket's address. */
  readonly pathAndQuery: string;
  /** Those that were given and those of the signature: every header to send. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
  /** For tests: it contains the security token. */
  readonly canonicalRequest: string;
};

/**
 * Signs a request in its `Authorization` header (OSS V4). The body is not signed. OSS accepts the
 * request within 15 min of the signer's instant. Source: OSS V4 signature in the header.
 * @throws TypeError for a header that OSS or HTTP clients would reject, without repeating it.
 */
export function authorize(
  { method, bucket, key, query = {}, headers = {}, additionalHeaders = [] }: AuthorizeInput,
  { instant, day }: Signer,
): Authorized {
  const named = new Set(additionalHeaders.map((name) => name.toLowerCase()));
  const { securityToken } = day.credentials;
  const own = [
    header(CONTENT_SHA256, 'UNSIGNED-PAYLOAD'),
    header(DATE, instant),
    ...(securityToken === undefined ? [] : [header(SECURITY_TOKEN, securityToken)]),
  ];
  const signed = canonicalHeaders([
    ...own,
    ...Object.entries(headers)
      .map(([name, value]) => header(headerName(name), value))
      .filter(({ name }) => !name.isAdditional || named.has(name.lowerCase)),
  ]);
  const path = percentEncodePath(key);
  const encodedQuery = canonicalQuery(query);
  const request = canonicalRequest(method, `/${percentEncode(bucket)}/${path}`, encodedQuery, signed);
  const signature = day.key.sign(instant, request);
  const additional = signed.additionalNames === '' ? '' : `AdditionalHeaders=${signed.additionalNames},`;
  const authorization = header(
    AUTHORIZATION,
    `${ALGORITHM} Credential=${day.credential},${additional}Signature=${signature}`,
  );
  return {
    pathAndQuery: encodedQuery === '' ? path : `${path}?${encodedQuery}`,
    headers: {
      ...headers,
      ...Object.fromEntries([...own, authorization].map(({ name, value }) => [name.spelling, value])),
    },
    signature,
    canonicalRequest: request,
  };
}
