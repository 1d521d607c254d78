import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { OssError } from './oss-error.ts';
import { readSignatureClaim, type SignatureClaim } from './signature-claim.ts';
import type { WireRequest } from './wire-request.ts';

export type EmulatorCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** With temporary credentials (STS) only. */
  readonly securityToken?: string;
  /** When the security token ends. */
  readonly expiresAt?: Date;
};

const FIFTEEN_MINUTES_MS = 15 * 60_000;

/**
 * Checks a request's V4 signature from what came over the wire, in the order in which a mistake is most useful to hear of.
 * Written from the description of OSS V4 alone: it shares nothing with the signer of this project, so each checks the other.
 * @throws OssError naming the first thing that is wrong.
 */
export function verifySignature(
  request: WireRequest,
  options: {
    readonly credentials: readonly EmulatorCredentials[];
    /** The region of the bucket. */
    readonly region: string;
    readonly product?: string;
    readonly now: Date;
  },
): void {
  const claim = readSignatureClaim(request);
  if (claim.day !== claim.instant.slice(0, 8)) throw new OssError('credentialDate');
  if (claim.region !== options.region) throw new OssError('regionMismatch');
  if (claim.product !== (options.product ?? 'oss')) throw new OssError('credentialFormat');
  checkTime(claim, options.now);
  const credentials = options.credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (!credentials) throw new OssError('unknownKeyId', { OSSAccessKeyId: claim.accessKeyId });
  checkToken(claim, credentials, options.now);
  if (claim.additionalHeaders.some((name) => !request.headers.has(name)))
    throw new OssError('additionalAbsent');
  checkSignature(request, claim, credentials);
}

function checkTime({ instant, expiresInSeconds }: SignatureClaim, now: Date): void {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(instant) ?? [];
  const signedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(signedAt.getTime())) throw new OssError('dateFormat');
  const aheadMs = signedAt.getTime() - now.getTime();
  if (expiresInSeconds === undefined) {
    if (Math.abs(aheadMs) <= FIFTEEN_MINUTES_MS) return;
    throw new OssError('skewed', {
      MaxAllowedSkewMilliseconds: String(FIFTEEN_MINUTES_MS),
      RequestTime: signedAt.toISOString(),
      ServerTime: now.toISOString(),
    });
  }
  if (aheadMs > FIFTEEN_MINUTES_MS) throw new OssError('notYetValid', { ServerTime: now.toISOString() });
  const expiresAt = new Date(signedAt.getTime() + expiresInSeconds * 1000);
  if (now > expiresAt) {
    throw new OssError('expired', { Expires: expiresAt.toISOString(), ServerTime: now.toISOString() });
  }
}

function checkToken({ securityToken }: SignatureClaim, credentials: EmulatorCredentials, now: Date): void {
  if (credentials.securityToken === undefined) {
    if (securityToken !== undefined) throw new OssError('tokenNotSupported');
    return;
  }
  if (securityToken === undefined) throw new OssError('tokenMissing');
  if (!equals(securityToken, credentials.securityToken)) throw new OssError('tokenWrong');
  if (credentials.expiresAt && now >= credentials.expiresAt) throw new OssError('tokenExpired');
}

function checkSignature(request: WireRequest, claim: SignatureClaim, credentials: EmulatorCredentials): void {
  const canonical = canonicalForm(request, claim);
  const scope = [claim.day, claim.region, claim.product, 'aliyun_v4_request'];
  const text = [
    'OSS4-HMAC-SHA256',
    claim.instant,
    scope.join('/'),
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  let key: string | Buffer = `aliyun_v4${credentials.accessKeySecret}`;
  for (const part of scope) key = createHmac('sha256', key).update(part).digest();
  const expected = createHmac('sha256', key).update(text).digest('hex');
  if (equals(claim.signature, expected)) return;
  throw new OssError('signature', {
    OSSAccessKeyId: claim.accessKeyId,
    SignatureProvided: claim.signature,
    StringToSign: text,
    StringToSignBytes: Buffer.from(text)
      .toString('hex')
      .toUpperCase()
      .replace(/..(?=.)/g, '$& '),
    CanonicalRequest: canonical,
  });
}

function canonicalForm(request: WireRequest, { additionalHeaders }: SignatureClaim): string {
  const path = `/${request.bucket}/${request.key}`.split('/').map(encode).join('/');
  const query = [...request.query]
    .filter(([name]) => name !== 'x-oss-signature')
    .map(([name, value]) => ({ name: encode(name), value: encode(value) }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .map(({ name, value }) => (value ? `${name}=${value}` : name));
  const additional = new Set(additionalHeaders.filter((name) => !isAlwaysSigned(name)));
  let lines = '';
  for (const name of [...request.headers.keys()].sort()) {
    if (isAlwaysSigned(name) || additional.has(name)) lines += `${name}:${request.headers.get(name)}\n`;
  }
  const payload = request.headers.get('x-oss-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  return `${request.method}\n${path}\n${query.join('&')}\n${lines}\n${[...additional].sort().join(';')}\n${payload}`;
}

function isAlwaysSigned(name: string): boolean {
  return ['content-type', 'content-md5'].includes(name) || name.startsWith('x-oss-');
}

/** RFC 3986: unreserved characters stay, `!'()*` do not, though encodeURIComponent leaves them. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function equals(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
