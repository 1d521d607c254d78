import { createHash, createHmac } from 'node:crypto';
import type { QueryParameter, RequestTarget } from '../request-target.ts';

/** A request as it was received. */
export type WireRequest = RequestTarget & {
  readonly method: string;
  /**
   * Names in lower case; values as Latin-1, so that each character is one byte; repeated headers
   * joined by `,`.
   */
  readonly headers: ReadonlyMap<string, string>;
};

export type CredentialScope = { readonly date: string; readonly region: string; readonly product: string };

export const ALGORITHM = 'OSS4-HMAC-SHA256';
export const SCOPE_END = 'aliyun_v4_request';

/**
 * The canonical request of OSS V4 (help page "Include a V4 signature in the header"), computed from
 * the received request. The text is Latin-1: one character is one byte. `additionalHeaders` is the
 * list as the client sent it.
 */
export function canonicalRequest(request: WireRequest, additionalHeaders: string): string {
  const { method, bucket, key, query, headers } = request;
  const additional = new Set(additionalHeaders.toLowerCase().split(';'));
  const headerLines = [...headers]
    .filter(([name]) => isSignedByDefault(name) || additional.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`);
  return [
    method,
    bucket === null ? '/' : `/${bucket}/${escapeBytes(key, true)}`,
    canonicalQuery(query),
    headerLines.join(''),
    additionalHeaders,
    headers.get('x-oss-content-sha256') ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}

export function stringToSign(signedAt: string, scope: CredentialScope, canonical: string): string {
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  return [ALGORITHM, signedAt, [scope.date, scope.region, scope.product, SCOPE_END].join('/'), hash].join(
    '\n',
  );
}

/**
 * The signature of a text in lower-case hex. Four HMACs derive the key from the secret and the
 * scope; the fifth signs.
 */
export function signatureOf(text: string, accessKeySecret: string, scope: CredentialScope): string {
  let key: string | Buffer = `aliyun_v4${accessKeySecret}`;
  for (const step of [scope.date, scope.region, scope.product, SCOPE_END]) {
    key = createHmac('sha256', key).update(step).digest();
  }
  return createHmac('sha256', key).update(text).digest('hex');
}

function isSignedByDefault(name: string): boolean {
  return name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-');
}

function canonicalQuery(query: readonly QueryParameter[]): string {
  return query
    .filter(({ name }) => name !== 'x-oss-signature')
    .map(({ name, value }) => ({ name: escapeBytes(name, false), value: escapeBytes(value, false) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value }) => (value === '' ? name : `${name}=${value}`))
    .join('&');
}

function escapeBytes(text: string, keepSlash: boolean): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const isKept = /[A-Za-z0-9\-._~]/.test(character) || (keepSlash && character === '/');
    escaped += isKept ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
