import { OssError } from '../oss-error.ts';
import type { QueryParameter } from '../request-target.ts';
import {
  checkAdditionalHeaders,
  parseBasicIso,
  parseCredential,
  type SignatureClaim,
} from './signature-claim.ts';
import { ALGORITHM } from './signature-v4.ts';

const MAX_EXPIRES_SECONDS = 604_800;
const FAULTS = {
  malformed: 'queryCredentialMalformed',
  date: 'queryCredentialDate',
  region: 'queryRegion',
} as const;

/** Whether a query has a signature of any version. */
export function isSignedQuery(query: readonly QueryParameter[]): boolean {
  return query.some(({ name }) =>
    [
      'x-oss-signature-version',
      'x-oss-credential',
      'x-oss-signature',
      'OSSAccessKeyId',
      'Signature',
    ].includes(name),
  );
}

/**
 * Reads the signature of a presigned URL.
 * @throws OssError for V1 and V2 URLs and for any parameter that is missing, malformed or out of
 *   range.
 */
export function readQueryClaim(query: readonly QueryParameter[]): SignatureClaim {
  const parameters = new Map(query.map(({ name, value }) => [name, value]));
  if (parameters.size < query.length) throw new OssError('parameterTwice');

  const version = parameters.get('x-oss-signature-version');
  if (version === 'OSS2' || (version === undefined && parameters.has('OSSAccessKeyId')))
    throw new OssError('onlyV4');
  if (version !== ALGORITHM) throw new OssError('signatureVersionInvalid');

  const credential = parameters.get('x-oss-credential') ?? fail('credentialMissing');
  if (credential === '') fail('credentialEmpty');
  const { accessKeyId, scope } = parseCredential(credential, FAULTS);

  const signedAtText = parameters.get('x-oss-date') ?? fail('dateMalformed');
  const signedAt = parseBasicIso(signedAtText) ?? fail('dateMalformed');
  const expires = parameters.get('x-oss-expires') ?? fail('expiresMissing');
  const expiresInSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresInSeconds < 1 || expiresInSeconds > MAX_EXPIRES_SECONDS) fail('expiresOutOfRange');

  const additionalHeaders = parameters.get('x-oss-additional-headers');
  if (additionalHeaders !== undefined) checkAdditionalHeaders(additionalHeaders);

  const signature = parameters.get('x-oss-signature') ?? fail('signatureMissing');
  if (signature === '') fail('signatureEmpty');
  return {
    accessKeyId,
    scope,
    signedAtText,
    signedAt,
    expiresInSeconds,
    additionalHeaders: additionalHeaders ?? '',
    securityToken: parameters.get('x-oss-security-token'),
    signature,
    faults: FAULTS,
  };
}

function fail(fault: ConstructorParameters<typeof OssError>[0]): never {
  throw new OssError(fault);
}
