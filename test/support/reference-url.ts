import { createHash, createHmac } from 'node:crypto';
import type { Signing } from '../../src/storage/object-storage.ts';
import type { OssBucket } from '../../src/storage/oss/bucket.ts';
import type { Endpoint } from '../../src/storage/oss/endpoint.ts';

/** A PUT with everything that its signature covers. */
export type ReferencePut = OssBucket &
  Signing & {
    readonly key: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly contentLength?: number | undefined;
  };

function encode(text: string): string {
  return Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function addressOf(endpoint: Endpoint, bucket: string, region: string): string {
  if (endpoint === 'public') return `https://${bucket}.oss-${region}.aliyuncs.com`;
  if (endpoint === 'internal') return `https://${bucket}.oss-${region}-internal.aliyuncs.com`;
  if (typeof endpoint === 'string') throw new Error('the tests that use this have no other form');
  return endpoint.addressing === 'path' ? `${endpoint.url}/${bucket}` : endpoint.url;
}

/**
 * The URL of a presigned PUT in which every header is signed: OSS V4 as plainly as its specification reads, with nothing kept
 * from one call to the next. For input that the signer does not reject.
 */
export function referenceUrl(put: ReferencePut, query: Readonly<Record<string, string>> = {}): string {
  const { credentials, region, bucket, key, contentLength } = put;
  const instant = put.signedAt.toISOString().replace(/[-:]|\.\d+/g, '');
  const date = instant.slice(0, 8);
  const scope = `${date}/${region}/oss/aliyun_v4_request`;
  const headers = Object.entries(put.headers).map(([name, value]) => [name.toLowerCase(), value.trim()]);
  if (contentLength !== undefined) headers.push(['content-length', String(contentLength)]);
  headers.sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  const additional = headers
    .map(([name = '']) => name)
    .filter((name) => !/^(?:content-type|content-md5|x-oss-.*)$/.test(name))
    .join(';');
  const parameters = Object.entries({
    ...query,
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': `${credentials.accessKeyId}/${scope}`,
    'x-oss-date': instant,
    'x-oss-expires': String(put.expiresInSeconds),
    ...(credentials.securityToken !== undefined && { 'x-oss-security-token': credentials.securityToken }),
    ...(additional !== '' && { 'x-oss-additional-headers': additional }),
  })
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
  const path = encode(key).replaceAll('%2F', '/');
  const request = [
    `PUT\n/${encode(bucket)}/${path}\n${parameters}`,
    ...headers.map(([name, value]) => `${name}:${value}`),
    `\n${additional}`,
    headers.find(([name]) => name === 'x-oss-content-sha256')?.[1] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const signingKey = [date, region, 'oss', 'aliyun_v4_request'].reduce<string | Buffer>(
    hmac,
    `aliyun_v4${credentials.accessKeySecret}`,
  );
  const digest = createHash('sha256').update(request).digest('hex');
  const signature = hmac(signingKey, `OSS4-HMAC-SHA256\n${instant}\n${scope}\n${digest}`).toString('hex');
  return `${addressOf(put.endpoint, bucket, region)}/${path}?${parameters}&x-oss-signature=${signature}`;
}
