import { type FaultName, OssError } from '../oss-error.ts';
import { parseBasicIso, parseCredential, type SignatureClaim } from './signature-claim.ts';
import { ALGORITHM } from './signature-v4.ts';

/** How long after `x-oss-date` a form can be used, unless its policy expires earlier. */
const MAX_AGE_SECONDS = 604_800;
const FAULTS = {
  malformed: 'formCredentialMalformed',
  date: 'formCredentialMalformed',
  region: 'queryRegion',
} as const;

/**
 * Reads the signature from the fields of a form.
 * @throws OssError for a V1 form and for a field that is missing or malformed.
 */
export function readFormClaim(fields: ReadonlyMap<string, string>): SignatureClaim {
  if (fields.has('ossaccesskeyid')) throw new OssError('onlyV4');
  const credential = fields.get('x-oss-credential');
  if (!credential) throw missing('formCredentialMissing', 'OSSAccessKeyId');
  if (fields.get('x-oss-signature-version') !== ALGORITHM) throw new OssError('signatureVersionInvalid');
  const { accessKeyId, scope } = parseCredential(credential, FAULTS);
  const signedAtText = fields.get('x-oss-date') ?? '';
  const signedAt = parseBasicIso(signedAtText);
  if (signedAt === null) throw new OssError('dateMalformed');
  const signature = fields.get('x-oss-signature');
  if (!signature) throw missing('formSignatureMissing', 'x-oss-signature');
  return {
    accessKeyId,
    scope,
    signedAtText,
    signedAt,
    expiresInSeconds: MAX_AGE_SECONDS,
    additionalHeaders: '',
    securityToken: fields.get('x-oss-security-token'),
    signature,
    faults: FAULTS,
  };
}

function missing(fault: FaultName, name: string): OssError {
  return new OssError(fault, { ArgumentName: name, ArgumentValue: '' });
}
