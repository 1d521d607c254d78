import { timingSafeEqual } from 'node:crypto';
import type { EmulatorCredentials } from '../options.ts';
import { OssError } from '../oss-error.ts';
import { readFormClaim } from './form-claim.ts';
import { readHeaderClaim } from './header-claim.ts';
import { isSignedQuery, readQueryClaim } from './query-claim.ts';
import type { SignatureClaim } from './signature-claim.ts';
import { canonicalRequest, signatureOf, stringToSign, type WireRequest } from './signature-v4.ts';

const MAX_SKEW_MS = 15 * 60 * 1000;

export type Expected = {
  /**
   * The region of the addressed bucket; null if no bucket is addressed, so that every region is
   * accepted.
   */
  readonly region: string | null;
  /** `oss`, or `oss-cloudbox`, where the region is the id of the box. Default `oss`. */
  readonly product?: string;
  readonly credentials: readonly EmulatorCredentials[];
  readonly now: Date;
};

export type Verified = { readonly accessKeyId: string; readonly key: string };

/**
 * Verifies the V4 signature of a request, in the query or in the `Authorization` header.
 * @returns the access key id of the signer and the object key that was signed, or null for a
 *   request without a signature.
 * @throws OssError with the status, code and EC of OSS if the signature is not valid.
 */
export function verifySignature(request: WireRequest, expected: Expected): Verified | null {
  const claim = readClaim(request);
  if (claim === null) return null;
  const credentials = checkClaim(claim, expected);
  checkAdditionalHeadersCarried(claim, request);

  const keys = [request.key, ...(request.pathStyleKey === undefined ? [] : [request.pathStyleKey])];
  const isSigned = (key: string) => {
    const { text } = signedText({ ...request, key }, claim);
    return isSame(claim.signature, signatureOf(text, credentials.accessKeySecret, claim.scope));
  };
  const key = keys.find(isSigned);
  if (key === undefined) {
    const { text, canonical } = signedText(request, claim);
    throw new OssError('signatureDoesNotMatch', {
      ...comparison(claim, text),
      CanonicalRequest: Buffer.from(canonical, 'latin1').toString(),
    });
  }
  return { accessKeyId: claim.accessKeyId, key };
}

/**
 * Verifies the V4 signature of a form. Its policy is what is signed, as the text that was sent.
 * @param fields the fields of the form; names in lower case
 * @throws OssError with the status, code and EC of OSS if the signature is missing or not valid.
 */
export function verifyFormSignature(
  fields: ReadonlyMap<string, string>,
  policy: string,
  expected: Expected,
): void {
  const claim = readFormClaim(fields);
  const { accessKeySecret } = checkClaim(claim, expected);
  if (isSame(claim.signature, signatureOf(policy, accessKeySecret, claim.scope))) return;
  throw new OssError('formSignatureDoesNotMatch', comparison(claim, policy));
}

/** Checks everything about a signature except the signature itself. */
function checkClaim(claim: SignatureClaim, expected: Expected): EmulatorCredentials {
  const credentials = findCredentials(claim, expected);
  checkScope(claim, expected);
  checkTime(claim, expected.now);
  return credentials;
}

/** The elements of the error by which a client finds out what it signed differently. */
function comparison({ accessKeyId, signature }: SignatureClaim, text: string) {
  return {
    OSSAccessKeyId: accessKeyId,
    SignatureProvided: signature,
    StringToSign: text,
    StringToSignBytes: Buffer.from(text)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$& ')
      .toUpperCase(),
  };
}

function signedText(request: WireRequest, claim: SignatureClaim) {
  const canonical = canonicalRequest(request, claim.additionalHeaders);
  return { canonical, text: stringToSign(claim.signedAtText, claim.scope, canonical) };
}

function readClaim({ query, headers }: WireRequest): SignatureClaim | null {
  if (!isSignedQuery(query)) return headers.has('authorization') ? readHeaderClaim(headers) : null;
  if (headers.has('authorization')) throw new OssError('authorizationTwice');
  const claim = readQueryClaim(query);
  if (claim.securityToken !== undefined && headers.has('x-oss-security-token')) {
    throw new OssError('securityTokenTwice');
  }
  return claim;
}

function findCredentials(claim: SignatureClaim, { credentials, now }: Expected): EmulatorCredentials {
  const found = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (!found) throw new OssError('invalidAccessKeyId', { OSSAccessKeyId: claim.accessKeyId });
  if (found.securityToken === undefined) {
    if (claim.securityToken !== undefined) throw new OssError('securityTokenUnexpected');
    return found;
  }
  if (claim.securityToken === undefined) throw new OssError('securityTokenMissing');
  if (!isSame(claim.securityToken, found.securityToken)) throw new OssError('securityTokenWrong');
  if (found.expiresAt && found.expiresAt <= now) throw new OssError('securityTokenExpired');
  return found;
}

function checkScope(claim: SignatureClaim, { region, product = 'oss' }: Expected): void {
  const { scope, signedAtText, faults } = claim;
  if (scope.product !== product) throw new OssError(faults.malformed);
  if (!signedAtText.startsWith(`${scope.date}T`)) throw new OssError(faults.date);
  if (scope.region.startsWith('oss-') || (region !== null && scope.region !== region)) {
    throw new OssError(faults.region, { ArgumentName: 'region', ArgumentValue: scope.region });
  }
}

function checkTime({ signedAt, expiresInSeconds }: SignatureClaim, now: Date): void {
  const earlyMs = signedAt.getTime() - now.getTime();
  if (expiresInSeconds === null) {
    if (Math.abs(earlyMs) <= MAX_SKEW_MS) return;
    throw new OssError('requestTimeTooSkewed', {
      MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      RequestTime: signedAt.toISOString(),
      ServerTime: now.toISOString(),
    });
  }
  if (earlyMs > MAX_SKEW_MS) throw new OssError('requestNotYetValid', { ServerTime: now.toISOString() });
  const expiresAt = new Date(signedAt.getTime() + expiresInSeconds * 1000);
  if (now > expiresAt) {
    throw new OssError('requestExpired', { Expires: expiresAt.toISOString(), ServerTime: now.toISOString() });
  }
}

function checkAdditionalHeadersCarried(claim: SignatureClaim, { headers }: WireRequest): void {
  if (claim.additionalHeaders === '') return;
  const absent = claim.additionalHeaders.split(';').find((name) => !headers.has(name.toLowerCase()));
  if (absent !== undefined) throw new OssError('additionalHeaderAbsent', { ArgumentName: absent });
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
