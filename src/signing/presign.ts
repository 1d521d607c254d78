import { additionalHeaderNames, canonicalQuery, canonicalRequest } from './canonical-request.ts';
import { bucketAddress, type Endpoint } from './endpoint.ts';
import { percentEncodePath } from './percent-encode.ts';
import { ALGORITHM, ossDate, scopeText, sign, stringToSign } from './signature.ts';
import { signingKey } from './signing-key.ts';

/** Id, secret and token of one answer of their source: a mix does not verify. */
export type SigningCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** With temporary credentials (STS) only. */
  readonly securityToken?: string;
};

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

const MAX_EXPIRES_IN_SECONDS = 604_800;

/**
 * Signs any OSS request into its URL (OSS V4, `OSS4-HMAC-SHA256` in the query). Pure: the same input gives the same URL.
 * The intermediate strings hold the security token; they are for tests.
 * @throws TypeError for input that OSS would refuse, without repeating any of it.
 */
export function presign(input: PresignInput): Presigned {
  const { credentials, method, region, product = 'oss', bucket, key, signedAt, expiresInSeconds } = input;
  if (
    !Number.isInteger(expiresInSeconds) ||
    expiresInSeconds < 1 ||
    expiresInSeconds > MAX_EXPIRES_IN_SECONDS
  ) {
    throw new TypeError(`expiresInSeconds must be a whole number from 1 to ${MAX_EXPIRES_IN_SECONDS}`);
  }
  const headers = lowerCaseHeaders(input.headers);
  const additionalHeaders = additionalHeaderNames(input.additionalHeaders ?? [], headers);
  const instant = ossDate(signedAt);
  const scope = { date: instant.slice(0, 8), region, product };
  const parameters: Record<string, string> = {
    ...input.query,
    'x-oss-signature-version': ALGORITHM,
    'x-oss-credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'x-oss-date': instant,
    'x-oss-expires': String(expiresInSeconds),
  };
  if (credentials.securityToken !== undefined) parameters['x-oss-security-token'] = credentials.securityToken;
  if (additionalHeaders.length > 0) parameters['x-oss-additional-headers'] = additionalHeaders.join(';');

  const encodedKey = percentEncodePath(key);
  const query = canonicalQuery(parameters);
  const request = canonicalRequest({ method, bucket, encodedKey, query, headers, additionalHeaders });
  const text = stringToSign(instant, scope, request);
  const signature = sign(signingKey(credentials.accessKeySecret, scope), text);

  const { origin, pathPrefix } = bucketAddress(input.endpoint, bucket, region);
  // The canonical query is itself a valid query, so what is signed and what is sent cannot differ.
  const url = `${origin}${pathPrefix}/${encodedKey}?${query}&x-oss-signature=${signature}`;
  return { url, signature, canonicalRequest: request, stringToSign: text };
}

/** Refuses what HTTP clients or OSS SDKs would not all send alike (OSS facts: the safe subset), before it is signed. */
function lowerCaseHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lowerCase = name.toLowerCase();
    if (!/^[a-z0-9-]+$/.test(lowerCase))
      throw new TypeError('a header name may hold letters, digits and "-" only');
    if (Object.hasOwn(result, lowerCase)) throw new TypeError(`the header ${lowerCase} stands twice`);
    const trimmed = value.trim();
    if (!/^[ -~]+$/.test(trimmed)) {
      throw new TypeError(`the value of ${lowerCase} must be printable ASCII and not blank`);
    }
    result[lowerCase] = trimmed;
  }
  return result;
}
