import { MAX_EXPIRES_IN_SECONDS } from '../../limits.ts';
import { canonicalQuery, canonicalRequest } from './canonical-request.ts';
import { objectAddress } from './object-address.ts';
import { percentEncodePath } from './percent-encode.ts';
import type { PresignInput } from './presign.ts';
import { ALGORITHM, type OssInstant, ossInstant, type Scope, scopeText } from './signature.ts';
import { type SignedHeaders, signedHeaders } from './signed-headers.ts';
import { type Signer, signerOf } from './signer.ts';

export type SignUrlInput = Omit<PresignInput, 'method' | 'additionalHeaders'> & {
  /** Bytes; when given, signed as the header Content-Length. */
  readonly contentLength?: number;
};

export type SignedUrl = {
  readonly url: string;
  readonly signature: string;
  readonly canonicalRequest: string;
};

/**
 * What `presign` and `presignPut` have in common: signs a request into its URL.
 * @param additionalHeaders names in any case, or all that the request carries.
 * @throws TypeError for input that OSS would refuse, without repeating any of it.
 */
export function signUrl(
  input: SignUrlInput,
  method: string,
  additionalHeaders: readonly string[] | 'every',
): SignedUrl {
  const { credentials, region, product = 'oss', expiresInSeconds } = input;
  if (
    !Number.isInteger(expiresInSeconds) ||
    expiresInSeconds < 1 ||
    expiresInSeconds > MAX_EXPIRES_IN_SECONDS
  ) {
    throw new TypeError(`expiresInSeconds must be a whole number from 1 to ${MAX_EXPIRES_IN_SECONDS}`);
  }
  const headers = signedHeaders(input.headers, additionalHeaders, input.contentLength);
  const instant = ossInstant(input.signedAt);
  const scope = { date: instant.date, region, product };
  const signer = signerOf(credentials, scope);
  const query = input.query
    ? mergedQuery(input, input.query, scope, instant, headers)
    : ownQuery(signer, instant, expiresInSeconds, headers);
  const address = objectAddress(input.endpoint, input.bucket, region);
  const key = percentEncodePath(input.key);
  const request = canonicalRequest(method, `${address.canonicalUri}${key}`, query, headers);
  const signature = signer.key.sign(instant.text, request);
  // The canonical query is itself a valid query, so what is signed and what is sent cannot differ.
  const url = `${address.url}${key}?${query}&x-oss-signature=${signature}`;
  return { url, signature, canonicalRequest: request };
}

/** The canonical query when no parameter comes from the caller: then the order is known, and most is encoded already. */
function ownQuery(
  { credentialParameter, tokenParameter }: Signer,
  { text }: OssInstant,
  expiresInSeconds: number,
  { encodedAdditionalNames: names }: SignedHeaders,
): string {
  const additional = names === '' ? '' : `x-oss-additional-headers=${names}&`;
  const time = `x-oss-date=${text}&x-oss-expires=${expiresInSeconds}`;
  return `${additional}${credentialParameter}&${time}${tokenParameter}&x-oss-signature-version=${ALGORITHM}`;
}

function mergedQuery(
  { credentials: { accessKeyId, securityToken }, expiresInSeconds }: SignUrlInput,
  query: Readonly<Record<string, string>>,
  scope: Scope,
  { text }: OssInstant,
  { additionalNames }: SignedHeaders,
): string {
  return canonicalQuery({
    ...query,
    'x-oss-signature-version': ALGORITHM,
    'x-oss-credential': `${accessKeyId}/${scopeText(scope)}`,
    'x-oss-date': text,
    'x-oss-expires': String(expiresInSeconds),
    ...(securityToken !== undefined && { 'x-oss-security-token': securityToken }),
    ...(additionalNames !== '' && { 'x-oss-additional-headers': additionalNames }),
  });
}
