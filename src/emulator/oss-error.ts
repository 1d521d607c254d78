/**
 * The errors of OSS by name: status, `Code`, `Message` and, if published, `EC`
 * (OSS help: "Error responses" and the EC pages of group 0002, 0003, 0004, 0006, 0015, 0016, 0017,
 * 0007, 0026, 0042).
 */
const FAULTS = {
  signatureDoesNotMatch: [
    403,
    'SignatureDoesNotMatch',
    '0002-00000201',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  requestExpired: [403, 'AccessDenied', '0002-00000236', 'Request has expired.'],
  requestNotYetValid: [403, 'AccessDenied', '0002-00000235', 'Request is not valid yet.'],
  requestTimeTooSkewed: [
    403,
    'RequestTimeTooSkewed',
    '0002-00000504',
    'The difference between the request time and the current time is too large.',
  ],
  dateMissing: [403, 'AccessDenied', '0002-00000503', 'OSS authentication requires a valid Date.'],
  dateMalformed: [400, 'InvalidArgument', '0002-00000502', 'The date of the signature is malformed.'],
  accessDenied: [
    403,
    'AccessDenied',
    '0003-00000001',
    'You have no right to access this object because of bucket acl.',
  ],
  invalidAccessKeyId: [
    403,
    'InvalidAccessKeyId',
    '0002-00000902',
    'The OSS Access Key Id you provided does not exist in our records.',
  ],
  securityTokenMissing: [
    403,
    'InvalidSecurityToken',
    '0002-00000003',
    'This AccessKeyId needs its security token.',
  ],
  securityTokenUnexpected: [
    403,
    'InvalidSecurityToken',
    '0002-00000006',
    'This AccessKeyId takes no security token.',
  ],
  securityTokenWrong: [
    403,
    'InvalidSecurityToken',
    '0002-00000008',
    'The security token you provided is invalid.',
  ],
  securityTokenExpired: [
    403,
    'SecurityTokenExpired',
    '0002-00000007',
    'The security token you provided has expired.',
  ],
  securityTokenTwice: [
    400,
    'InvalidArgument',
    '0002-00000010',
    'The security token may not be in both the header and the query.',
  ],
  onlyV4: [
    400,
    'InvalidArgument',
    '0002-00000034',
    'Only V4 signatures (OSS4-HMAC-SHA256) are accepted here.',
  ],
  signatureVersionInvalid: [400, 'InvalidArgument', '0002-00000066', 'Invalid signature version.'],
  authorizationMalformed: [
    400,
    'InvalidArgument',
    '0002-00000061',
    'The Authorization header is not of the form OSS4-HMAC-SHA256 Credential=…,Signature=….',
  ],
  authorizationTwice: [
    400,
    'InvalidArgument',
    undefined,
    'Only one auth mechanism allowed: the query is signed and an Authorization header is there too.',
  ],
  additionalHeadersEmpty: [400, 'InvalidArgument', '0002-00000209', 'The additional headers are empty.'],
  additionalHeadersBlankName: [
    400,
    'InvalidArgument',
    '0002-00000210',
    'The additional headers hold an empty name.',
  ],
  additionalHeaderAbsent: [
    400,
    'InvalidArgument',
    '0002-00000211',
    'An additional header is not carried by the request, or its name is not allowed.',
  ],
  headerCredentialDate: [400, 'InvalidArgument', '0002-00000212', 'Invalid signing date in Credential.'],
  headerCredentialMalformed: [400, 'InvalidArgument', '0002-00000213', 'Invalid Credential.'],
  expiresMissing: [400, 'InvalidArgument', '0002-00000215', 'x-oss-expires is missing.'],
  credentialMissing: [400, 'InvalidArgument', '0002-00000217', 'x-oss-credential is missing.'],
  credentialEmpty: [400, 'InvalidArgument', '0002-00000218', 'x-oss-credential is empty.'],
  signatureMissing: [400, 'InvalidArgument', '0002-00000219', 'x-oss-signature is missing.'],
  signatureEmpty: [400, 'InvalidArgument', undefined, 'x-oss-signature is empty.'],
  queryCredentialDate: [400, 'InvalidArgument', '0002-00000223', 'Invalid signing date in x-oss-credential.'],
  queryCredentialMalformed: [400, 'InvalidArgument', '0002-00000224', 'Invalid x-oss-credential.'],
  queryRegion: [400, 'InvalidArgument', '0002-00000226', 'Invalid signing region in x-oss-credential.'],
  headerRegion: [400, 'InvalidArgument', '0002-00000228', 'Invalid signing region in Authorization header.'],
  expiresOutOfRange: [
    400,
    'InvalidArgument',
    '0002-00000232',
    'x-oss-expires must be a whole number from 1 to 604800 seconds.',
  ],
  parameterTwice: [400, 'InvalidArgument', undefined, 'A query parameter is given more than once.'],
  invalidUri: [400, 'InvalidURI', undefined, "Couldn't parse the specified URI."],
  invalidArgument: [400, 'InvalidArgument', undefined, 'Invalid argument.'],
  noSuchBucket: [404, 'NoSuchBucket', '0015-00000101', 'The specified bucket does not exist.'],
  noSuchKey: [404, 'NoSuchKey', '0026-00000001', 'The specified key does not exist.'],
  objectNameEmpty: [400, 'InvalidObjectName', '0016-00000001', 'The object name can not be empty.'],
  objectNameInvalid: [
    400,
    'InvalidObjectName',
    '0016-00000002',
    'The object name must be UTF-8 of 1 to 1023 bytes.',
  ],
  objectNameLeadingSlash: [
    400,
    'InvalidObjectName',
    '0016-00000005',
    'The object name can not begin with / or \\.',
  ],
  fileAlreadyExists: [
    409,
    'FileAlreadyExists',
    '0026-00000002',
    'The object you specified already exists and can not be overwritten.',
  ],
  missingContentLength: [
    411,
    'MissingContentLength',
    '0017-00000101',
    'You must provide the Content-Length HTTP header.',
  ],
  entityTooLarge: [
    400,
    'EntityTooLarge',
    undefined,
    'Your proposed upload exceeds the maximum allowed size.',
  ],
  contentMd5Malformed: [400, 'InvalidDigest', '0017-00000502', 'The Content-MD5 you specified was invalid.'],
  contentMd5Wrong: [
    400,
    'InvalidDigest',
    '0017-00000503',
    'The Content-MD5 you specified did not match what we received.',
  ],
  aclUnknown: [400, 'InvalidArgument', '0017-00000104', 'no such object access control exists'],
  storageClassUnknown: [400, 'InvalidArgument', '0013-00000101', 'Invalid storage class.'],
  encryptionUnknown: [
    400,
    'InvalidEncryptionAlgorithmError',
    '0005-00000003',
    'The Encryption Method specified is not supported.',
  ],
  forbidOverwriteUnknown: [
    400,
    'InvalidArgument',
    '0017-00000279',
    'x-oss-forbid-overwrite must be true or false.',
  ],
  metadataTooLarge: [400, 'MetadataTooLarge', '0011-00000002', 'The user metadata must not exceed 8 KB.'],
  headerNotImplemented: [
    400,
    'NotImplemented',
    undefined,
    'A header you provided implies functionality that is not implemented.',
  ],
  notImplemented: [501, 'NotImplemented', undefined, 'The emulator does not implement this operation.'],
  methodNotAllowed: [
    405,
    'MethodNotAllowed',
    '0017-00000001',
    'The specified method is not allowed against this resource.',
  ],
  preconditionFailed: [
    412,
    'PreconditionFailed',
    undefined,
    'At least one of the pre-conditions you specified did not hold.',
  ],
  overrideContentType: [
    400,
    'InvalidRequest',
    '0017-00000902',
    'Can not override response header on content-type',
  ],
  overrideUnknown: [400, 'InvalidRequest', undefined, 'Can not override response header on '],
  overrideAnonymous: [
    400,
    'InvalidRequest',
    undefined,
    'Request specific response headers cannot be used for anonymous GET requests.',
  ],
  apkDownloadForbidden: [
    400,
    'ApkDownloadForbidden',
    '0048-00000203',
    'Please use a custom domain name to download APK and IPA files.',
  ],
  noSuchVersion: [404, 'NoSuchVersion', undefined, 'The specified version does not exist.'],
  symlinkTargetMissing: [
    400,
    'MissingArgument',
    '0016-00000502',
    'Your request does not contain the header x-oss-symlink-target.',
  ],
  symlinkTargetNotExist: [
    404,
    'SymlinkTargetNotExist',
    undefined,
    'The target object of the symlink does not exist.',
  ],
  symlinkTargetInvalid: [
    400,
    'InvalidTargetType',
    '0026-00000011',
    'The target of the symlink is a symlink itself.',
  ],
  noSuchUpload: noSuchUpload('0042-00000002'),
  noSuchUploadOfPart: noSuchUpload('0042-00000104'),
  noSuchUploadToComplete: noSuchUpload('0017-00000244'),
  trafficLimitTwice: [
    400,
    'InvalidArgument',
    '0004-00000501',
    'The traffic limit may not be in both the header and the query.',
  ],
  trafficLimitInvalid: [
    400,
    'InvalidArgument',
    '0004-00000502',
    'The traffic limit must be a whole number from 819200 to 838860800 bit/s.',
  ],
  partNumberInvalid: [
    400,
    'InvalidArgument',
    '0017-00000220',
    'Part number must be an integer between 1 and 10000, inclusive.',
  ],
  partNumberMissing: [400, 'InvalidArgument', '0017-00000219', 'Unexpected query string parameter'],
  invalidPart: [
    400,
    'InvalidPart',
    undefined,
    "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.",
  ],
  invalidPartOrder: [
    400,
    'InvalidPartOrder',
    '0042-00000209',
    'The list of parts was not in ascending order. Parts list must specified in order by part number.',
  ],
  partTooSmall: [
    400,
    'EntityTooSmall',
    '0042-00000213',
    'Your proposed upload smaller than the minimum allowed size.',
  ],
  completeAllWithBody: [
    400,
    'InvalidArgument',
    '0042-00000216',
    'Should not speficy both complete all header and http body.',
  ],
  malformedXml: [
    400,
    'MalformedXML',
    '0042-00000205',
    'The XML you provided was not well-formed or did not validate against our published schema.',
  ],
  fileAlreadyExistsAtComplete: [
    409,
    'FileAlreadyExists',
    '0042-00000214',
    'The object you specified already exists and can not be overwritten.',
  ],
  invalidRange: [416, 'InvalidRange', undefined, 'The requested range cannot be satisfied.'],
  preflightOriginMissing: [
    400,
    'BadRequest',
    undefined,
    'Insufficient information. Origin request header needed.',
  ],
  preflightMethodMissing: [
    400,
    'BadRequest',
    undefined,
    'Insufficient information. Request Access-Control-Request-Method header needed.',
  ],
  accessForbidden: [
    403,
    'AccessForbidden',
    undefined,
    'CORSResponse: This CORS request is not allowed. No rule of the bucket matches its origin, method and headers.',
  ],
  formNotMultipart: [
    400,
    'RequestIsNotMultiPartContent',
    undefined,
    'Bucket POST must be of the enclosure-type multipart/form-data.',
  ],
  formMalformed: [
    400,
    'MalformedPOSTRequest',
    '0006-00000103',
    'The body of your POST request is not well-formed multipart/form-data. The field file must be the last one.',
  ],
  formCutOff: [
    400,
    'MalformedPOSTRequest',
    '0006-00000104',
    'The body of your POST request is not well-formed multipart/form-data. The field file is missing or cut off.',
  ],
  formFileTwice: [
    400,
    'IncorrectNumberOfFilesInPOSTRequest',
    undefined,
    'POST requires exactly one file upload per request.',
  ],
  formFieldTooLong: [
    400,
    'FieldItemTooLong',
    '0006-00000112',
    'A field of the form is too long: at most 8 KB for a name, 2 MB for a value, 8 MB for all values.',
  ],
  formFieldTwice: [400, 'InvalidArgument', undefined, 'A field of the form is given more than once.'],
  formKeyMissing: [
    400,
    'InvalidArgument',
    undefined,
    "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields",
  ],
  formPolicyMissing: [
    400,
    'InvalidArgument',
    undefined,
    "The bucket POST must contain the specified 'policy'. If it is specified, please check the order of the fields",
  ],
  formCredentialMissing: [
    400,
    'InvalidArgument',
    '0002-00000706',
    "The bucket POST must contain the specified 'OSSAccessKeyId'. If it is specified, please check the order of the fields",
  ],
  formSignatureMissing: [
    400,
    'InvalidArgument',
    '0002-00000703',
    "The bucket POST must contain the specified 'x-oss-signature'. If it is specified, please check the order of the fields",
  ],
  formCredentialMalformed: [400, 'InvalidArgument', '0002-00000710', 'Invalid x-oss-credential.'],
  formSignatureDoesNotMatch: [
    403,
    'SignatureDoesNotMatch',
    '0002-00000705',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  formFileTooLarge: [
    400,
    'EntityTooLarge',
    '0006-00000003',
    'Your proposed upload exceeds the maximum allowed size.',
  ],
  formFileTooSmall: [
    400,
    'EntityTooSmall',
    '0006-00000004',
    'Your proposed upload is smaller than the minimum allowed size.',
  ],
  policyExpired: [403, 'AccessDenied', '0006-00000213', 'Invalid according to Policy: Policy expired.'],
  policyConditionFailed: [
    403,
    'AccessDenied',
    '0006-00000227',
    'Invalid according to Policy: Policy Condition failed: ',
  ],
  policyNotJson: invalidPolicy('201', 'Invalid JSON, or not Base64 of UTF-8.'),
  policyConditionsMissing: invalidPolicy('207', 'Policy missing conditions.'),
  policyExpirationMissing: invalidPolicy('208', 'Policy missing expiration, or it is not an ISO 8601 time.'),
  policyEmpty: invalidPolicy('209', 'Policy missing conditions and expiration.'),
  policyConditionsNotList: invalidPolicy('214', 'Conditions must be a list.'),
  conditionWithoutMode: invalidPolicy('216', 'A condition has no known mode.'),
  conditionTooLong: invalidPolicy('218', 'A condition has extra members.'),
  rangeReversed: invalidPolicy('219', 'The maximum of content-length-range is less than its minimum.'),
  rangeMinMalformed: invalidPolicy('221', 'The minimum of content-length-range is not a whole number.'),
  conditionMalformed: invalidPolicy('222', 'A condition is neither a map of a text nor a list with a field.'),
  rangeMaxMalformed: invalidPolicy('223', 'The maximum of content-length-range is not a whole number.'),
  conditionNotList: invalidPolicy('224', 'The values of in and not-in must be a list of texts.'),
  callbackNotBase64: [
    400,
    'InvalidArgument',
    '0007-00000002',
    'The callback configuration is not Base64 of at most 5 KB.',
  ],
  callbackNotJson: [400, 'InvalidArgument', undefined, 'The callback configuration is not json format.'],
  callbackUrlInvalid: [
    400,
    'InvalidArgument',
    '0007-00000004',
    'The callbackUrl must be 1 to 5 http or https URLs with ";" between them.',
  ],
  callbackPrivate: [400, 'InvalidArgument', '0007-00000008', 'Private address is forbidden to callback.'],
  callbackBodyNotText: [400, 'InvalidArgument', undefined, 'The callbackBody must be a text.'],
  callbackBodyEmpty: [400, 'InvalidArgument', '0007-00000011', 'The callbackBody must not be empty.'],
  callbackBodyTypeNotText: [400, 'InvalidArgument', '0007-00000012', 'The callbackBodyType must be a text.'],
  callbackHeadersInvalid: [
    400,
    'InvalidArgument',
    '0007-00000026',
    'The additionalHeaders must be a map of headers, and no name may begin with x-oss-.',
  ],
  callbackTwice: [
    400,
    'InvalidArgument',
    '0007-00000027',
    'The callback may not be in both the header and the query.',
  ],
  callbackTimeout: [203, 'CallbackFailed', '0007-00000202', 'Cost too long time'],
  callbackStatus: [203, 'CallbackFailed', '0007-00000203', 'Error status : '],
  callbackUnreachable: [
    203,
    'CallbackFailed',
    '0007-00000203',
    'Error status : -1. OSS can not connect to your callbackUrl, please check it.',
  ],
  callbackResponseNotJson: [
    203,
    'CallbackFailed',
    '0007-00000205',
    'Response body is not valid json format.',
  ],
  callbackResponseTooLong: [
    203,
    'CallbackFailed',
    undefined,
    'Error Status : 400. User server return too long content-length value',
  ],
  callbackImageInfo: [203, 'CallbackFailed', undefined, 'Get image info failed'],
  internalError: [500, 'InternalError', undefined, 'The emulator failed.'],
} as const satisfies Record<string, readonly [number, string, string | undefined, string]>;

/** OSS's pages name both 400 and 403 for a policy that cannot be read. */
function invalidPolicy(ec: string, message: string) {
  return [400, 'InvalidPolicyDocument', `0006-00000${ec}`, `Invalid Policy: ${message}`] as const;
}

/** Its `EC` depends on the call. */
function noSuchUpload(ec: string) {
  return [
    404,
    'NoSuchUpload',
    ec,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  ] as const;
}

export type FaultName = keyof typeof FAULTS;

/**
 * An error with the status, code and message of OSS. `fields` are the elements that the code adds
 * to the XML (`Key`, `StringToSign`, …). They can contain a security token, so they must not be
 * logged.
 */
export class OssError extends Error {
  readonly status: number;
  readonly code: string;
  readonly ec: string | undefined;
  readonly fields: Readonly<Record<string, string>>;

  /** `detail` follows the message of the fault. */
  constructor(fault: FaultName, fields: Readonly<Record<string, string>> = {}, detail = '') {
    const [status, code, ec, message] = FAULTS[fault];
    super(message + detail);
    this.name = 'OssError';
    this.status = status;
    this.code = code;
    this.ec = ec;
    this.fields = fields;
  }
}
