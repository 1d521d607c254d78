/** Every fault that the emulator tells, with OSS's own status, code and EC. Source: OSS error codes, error reference by EC. */
const FAULTS = {
  anonymous: [403, 'AccessDenied', '0003-00000001', 'Anonymous access is forbidden for this operation.'],
  authTwice: [
    400,
    'InvalidArgument',
    '0002-00000065',
    'The request carries a signature both in its header and in its URL.',
  ],
  signatureVersion: [
    400,
    'InvalidArgument',
    '0002-00000066',
    'Only signature version OSS4-HMAC-SHA256 is accepted here.',
  ],
  credentialMissing: [400, 'InvalidArgument', '0002-00000217', 'x-oss-credential or Credential is missing.'],
  credentialFormat: [
    400,
    'InvalidArgument',
    '0002-00000224',
    'The credential must be <AccessKeyId>/<yyyymmdd>/<region>/oss/aliyun_v4_request.',
  ],
  credentialDate: [
    403,
    'AccessDenied',
    '0002-00000223',
    'The day of the credential is not the day of x-oss-date.',
  ],
  regionPrefix: [
    400,
    'InvalidArgument',
    '0002-00000228',
    'The region of the credential must not begin with "oss-".',
  ],
  regionMismatch: [
    400,
    'InvalidArgument',
    '0002-00000226',
    'The region of the credential is not that of the bucket.',
  ],
  dateFormat: [400, 'InvalidArgument', '0002-00000502', 'The date must be of the form yyyymmddThhmmssZ.'],
  expiresMissing: [400, 'InvalidArgument', '0002-00000215', 'x-oss-expires is missing.'],
  expiresRange: [400, 'InvalidArgument', '0002-00000232', 'x-oss-expires must be from 1 to 604800.'],
  additionalEmpty: [
    400,
    'InvalidArgument',
    '0002-00000209',
    'The list of additional headers holds an empty name.',
  ],
  additionalAbsent: [
    400,
    'InvalidArgument',
    '0002-00000210',
    'An additional header is not part of the request.',
  ],
  additionalName: [
    400,
    'InvalidArgument',
    '0002-00000211',
    'The name of an additional header may not hold "_".',
  ],
  repeatedParameter: [400, 'InvalidArgument', '0002-00000001', 'A query parameter stands twice.'],
  notYetValid: [403, 'AccessDenied', '0002-00000235', 'Request is not valid yet.'],
  expired: [403, 'AccessDenied', '0002-00000236', 'Request has expired.'],
  skewed: [
    403,
    'RequestTimeTooSkewed',
    '0002-00000504',
    'The difference between the request time and the current time is too large.',
  ],
  unknownKeyId: [
    403,
    'InvalidAccessKeyId',
    '0002-00000902',
    'The OSS Access Key Id you provided does not exist in our records.',
  ],
  tokenMissing: [403, 'InvalidSecurityToken', '0002-00000003', 'The security token you provided is invalid.'],
  tokenWrong: [
    403,
    'AccessKeyIdAndSecurityTokenNotMatch',
    '0002-00000006',
    'The security token does not belong to the access key id.',
  ],
  tokenNotSupported: [
    403,
    'SecurityTokenNotSupported',
    '0002-00000008',
    'The access key id is not a temporary one.',
  ],
  tokenExpired: [
    403,
    'SecurityTokenExpired',
    '0002-00000007',
    'The security token you provided has expired.',
  ],
  signature: [
    403,
    'SignatureDoesNotMatch',
    '0002-00000201',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  corsForbidden: [403, 'AccessForbidden', '0035-00000001', 'CORSResponse: This CORS request is not allowed.'],
  noSuchBucket: [404, 'NoSuchBucket', '0015-00000101', 'The specified bucket does not exist.'],
  noSuchKey: [404, 'NoSuchKey', '0026-00000001', 'The specified key does not exist.'],
  keyEmpty: [400, 'InvalidObjectName', '0016-00000001', 'The object name is empty.'],
  keyInvalid: [
    400,
    'InvalidObjectName',
    '0016-00000002',
    'The object name must be 1 to 1023 bytes of UTF-8.',
  ],
  keyStart: [400, 'InvalidObjectName', '0016-00000005', 'The object name must not begin with "/" or "\\".'],
  exists: [
    409,
    'FileAlreadyExists',
    '0026-00000002',
    'The object you specified already exists and can not be overwritten.',
  ],
  lengthMissing: [
    411,
    'MissingContentLength',
    '0017-00000501',
    'You must provide the Content-Length HTTP header.',
  ],
  tooLarge: [
    400,
    'EntityTooLarge',
    '0017-00000502',
    'Your proposed upload exceeds the maximum allowed size.',
  ],
  digest: [400, 'InvalidDigest', '0017-00000503', 'The Content-MD5 you specified was invalid.'],
  metadataTooLarge: [400, 'InvalidArgument', '0017-00000504', 'The user metadata has more than 8 KB.'],
  header: [400, 'InvalidArgument', '0017-00000505', 'A header has a value that is not possible.'],
  range: [416, 'InvalidRange', '0026-00000003', 'The requested range cannot be satisfied.'],
  notImplemented: [501, 'NotImplemented', '0057-00000001', 'The emulator does not do this.'],
  conditionalPut: [
    400,
    'NotImplemented',
    '0057-00000002',
    'A header you provided implies functionality that is not implemented.',
  ],
  method: [
    405,
    'MethodNotAllowed',
    '0057-00000003',
    'The specified method is not allowed against this resource.',
  ],
  internal: [500, 'InternalError', '0099-00000001', 'The emulator failed.'],
} as const satisfies Readonly<Record<string, readonly [number, string, string, string]>>;

export type Fault = keyof typeof FAULTS;

/** A refusal as OSS tells it. `extra` are further elements of the XML, by name. */
export class OssError extends Error {
  override readonly name = 'OssError';
  readonly status: number;
  readonly code: string;
  readonly ec: string;
  readonly extra: Readonly<Record<string, string>>;

  constructor(fault: Fault, extra: Readonly<Record<string, string>> = {}) {
    const [status, code, ec, message] = FAULTS[fault];
    super(message);
    this.status = status;
    this.code = code;
    this.ec = ec;
    this.extra = extra;
  }
}

/** The XML body of a refusal. It can hold a security token, within the canonical request. */
export function renderErrorXml(error: OssError, requestId: string, host: string): string {
  const elements = {
    Code: error.code,
    Message: error.message,
    RequestId: requestId,
    HostId: host,
    ...error.extra,
    EC: error.ec,
    RecommendDoc: `https://api.aliyun.com/troubleshoot?q=${error.ec}`,
  };
  const lines = Object.entries(elements).map(([name, value]) => `  <${name}>${escapeXml(value)}</${name}>\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${lines.join('')}</Error>\n`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\p{Cc}/gu, (character) => (character === '\n' || character === '\t' ? character : '?'));
}
