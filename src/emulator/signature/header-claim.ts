import { OssError } from '../oss-error.ts';
import {
  checkAdditionalHeaders,
  parseBasicIso,
  parseCredential,
  type SignatureClaim,
  toBasicIso,
} from './signature-claim.ts';
import { ALGORITHM } from './signature-v4.ts';

const FIELDS = ['Credential', 'AdditionalHeaders', 'Signature'];
const FAULTS = {
  malformed: 'headerCredentialMalformed',
  date: 'headerCredentialDate',
  region: 'headerRegion',
} as const;

/**
 * Reads the signature of an `Authorization` header. The order and the blanks after the commas vary,
 * because the SDKs differ in both.
 * @throws OssError for V1 and V2 headers, a malformed one, and a missing or malformed date.
 */
export function readHeaderClaim(headers: ReadonlyMap<string, string>): SignatureClaim {
  const authorization = headers.get('authorization') ?? '';
  if (/^OSS2? /.test(authorization)) throw new OssError('onlyV4');
  if (!authorization.startsWith(`${ALGORITHM} `)) throw new OssError('authorizationMalformed');

  const fields = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length + 1).split(',')) {
    const [, name = '', value = ''] = /^([A-Za-z]+)=(.*)$/.exec(part.trim()) ?? [];
    if (!FIELDS.includes(name) || fields.has(name)) throw new OssError('authorizationMalformed');
    fields.set(name, value);
  }
  const signature = fields.get('Signature');
  const credential = fields.get('Credential');
  if (!signature || !credential) throw new OssError('authorizationMalformed');
  const { accessKeyId, scope } = parseCredential(credential, FAULTS);
  const additionalHeaders = fields.get('AdditionalHeaders');
  if (additionalHeaders !== undefined) checkAdditionalHeaders(additionalHeaders);

  const signedAt = readDate(headers);
  return {
    accessKeyId,
    scope,
    signedAtText: toBasicIso(signedAt),
    signedAt,
    expiresInSeconds: null,
    additionalHeaders: additionalHeaders ?? '',
    securityToken: headers.get('x-oss-security-token'),
    signature,
    faults: FAULTS,
  };
}

/**
 * `x-oss-date`, or `Date` as the Android SDK sends it: basic ISO, or an HTTP date (RFC 9110,
 * section 5.6.7).
 */
function readDate(headers: ReadonlyMap<string, string>): Date {
  const ossDate = headers.get('x-oss-date');
  const text = ossDate ?? headers.get('date');
  if (text === undefined) throw new OssError('dateMissing');
  const basic = parseBasicIso(text);
  if (basic) return basic;
  const isHttpDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const httpDate = new Date(isHttpDate && ossDate === undefined ? text : Number.NaN);
  if (Number.isNaN(httpDate.getTime())) throw new OssError('dateMalformed');
  return httpDate;
}
