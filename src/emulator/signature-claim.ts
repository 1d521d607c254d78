import { OssError } from './oss-error.ts';
import type { WireRequest } from './wire-request.ts';

/** What a request says of its own signature, read from its URL or its Authorization header and not yet believed. */
export type SignatureClaim = {
  readonly accessKeyId: string;
  /** The day of the credential, `yyyymmdd`. */
  readonly day: string;
  readonly region: string;
  readonly product: string;
  /** `yyyymmddThhmmssZ`. */
  readonly instant: string;
  readonly additionalHeaders: readonly string[];
  readonly signature: string;
  readonly securityToken: string | undefined;
  /** With a signature in the URL only. */
  readonly expiresInSeconds: number | undefined;
};

const VERSION = 'OSS4-HMAC-SHA256';

/**
 * Reads the signature of a request.
 * @throws OssError for an anonymous request, another version, and whatever is malformed.
 */
export function readSignatureClaim(request: WireRequest): SignatureClaim {
  const { headers, query } = request;
  const authorization = headers.get('authorization');
  const isInQuery =
    query.has('x-oss-signature') || query.has('x-oss-signature-version') || query.has('x-oss-credential');
  const isOldQuery = query.has('Signature') || query.has('OSSAccessKeyId');
  if (authorization !== undefined && (isInQuery || isOldQuery)) throw new OssError('authTwice');
  if (isInQuery) return readFromQuery(request);
  if (isOldQuery) throw new OssError('signatureVersion');
  if (authorization === undefined) throw new OssError('anonymous');
  return readFromHeader(request, authorization);
}

function readFromQuery({ query }: WireRequest): SignatureClaim {
  if (query.get('x-oss-signature-version') !== VERSION) throw new OssError('signatureVersion');
  const expires = query.get('x-oss-expires');
  if (expires === undefined) throw new OssError('expiresMissing');
  const expiresInSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : 0;
  if (expiresInSeconds < 1 || expiresInSeconds > 604_800) throw new OssError('expiresRange');
  const instant = query.get('x-oss-date') ?? '';
  return {
    ...readCredential(query.get('x-oss-credential')),
    instant: readInstant(instant),
    additionalHeaders: readAdditionalHeaders(query.get('x-oss-additional-headers')),
    signature: query.get('x-oss-signature') ?? '',
    securityToken: query.get('x-oss-security-token'),
    expiresInSeconds,
  };
}

function readFromHeader({ headers }: WireRequest, authorization: string): SignatureClaim {
  const [scheme, rest = ''] = authorization.split(/ +(.*)/s);
  if (scheme !== VERSION) throw new OssError('signatureVersion');
  // SDKs differ in the blank behind the comma and in the order of the parts.
  const parts = new Map(rest.split(/, */).map((part) => part.split(/=(.*)/s, 2) as [string, string]));
  return {
    ...readCredential(parts.get('Credential')),
    instant: readInstant(headers.get('x-oss-date') ?? headers.get('date') ?? ''),
    additionalHeaders: readAdditionalHeaders(parts.get('AdditionalHeaders')),
    signature: parts.get('Signature') ?? '',
    securityToken: headers.get('x-oss-security-token'),
    expiresInSeconds: undefined,
  };
}

function readCredential(text: string | undefined) {
  if (!text) throw new OssError('credentialMissing');
  const [accessKeyId = '', day = '', region = '', product = '', end, ...more] = text.split('/');
  const isWhole = accessKeyId && /^\d{8}$/.test(day) && region && product && end === 'aliyun_v4_request';
  if (!isWhole || more.length > 0) throw new OssError('credentialFormat');
  if (region.startsWith('oss-')) throw new OssError('regionPrefix');
  return { accessKeyId, day, region, product };
}

/** Takes `yyyymmddThhmmssZ`, and for clients that sign the Date header an HTTP date. */
function readInstant(text: string): string {
  if (/^\d{8}T\d{6}Z$/.test(text)) return text;
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(text) ? new Date(text) : undefined;
  if (!date || Number.isNaN(date.getTime())) throw new OssError('dateFormat');
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

function readAdditionalHeaders(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const names = text.toLowerCase().split(';');
  if (names.includes('')) throw new OssError('additionalEmpty');
  if (names.some((name) => name.includes('_'))) throw new OssError('additionalName');
  return names;
}
