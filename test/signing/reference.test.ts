import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Endpoint } from '../../src/signing/endpoint.ts';
import { presign } from '../../src/signing/presign.ts';
import { type PresignPutInput, presignPut } from '../../src/signing/presign-put.ts';

// OSS V4 once more, as plainly as its specification reads, with nothing kept from one call to the next. What src/signing
// keeps must never show: a value of another secret, token, day, region or bucket would give a URL that OSS refuses, or
// one that is good for what was not asked.

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
  if (typeof endpoint === 'string') throw new Error('no other form is drawn here');
  return endpoint.addressing === 'path' ? `${endpoint.url}/${bucket}` : endpoint.url;
}

function referenceUrl(put: PresignPutInput, query: Readonly<Record<string, string>> = {}): string {
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

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const headerName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/),
  fc.stringMatching(/^[Xx]-[Oo]ss-[Mm]eta-[A-Za-z0-9-]{1,8}$/),
  fc.constantFrom('Content-Type', 'Content-MD5', 'Cache-Control', 'Expires', 'x-oss-content-sha256'),
);
const headerValue = fc.stringMatching(/^ {0,2}[!-~](?:[ -~]{0,20}[!-~])? {0,2}$/);
const headers = fc
  .uniqueArray(fc.tuple(headerName, headerValue), {
    selector: ([name]) => name.toLowerCase(),
    maxLength: 12,
  })
  .map((entries) => Object.fromEntries(entries.filter(([name]) => name.toLowerCase() !== 'content-length')));
const objectKey = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9._~/-]{1,40}$/),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  )
  .filter((key) => key.isWellFormed() && !key.split('/').some((segment) => /^\.{1,2}$/.test(segment)));

/** Few of each, so that in a row of calls most share something with one before, and differ in the rest. */
const put: fc.Arbitrary<PresignPutInput> = fc.record(
  {
    credentials: fc.record(
      {
        accessKeyId: fc.oneof(fc.constantFrom('LTAI5tOne', 'LTAI5tTwo'), text),
        accessKeySecret: fc.oneof(fc.constantFrom('secret one', 'secret two'), text),
        securityToken: fc.oneof(fc.constantFrom('CAIS+one/==', 'CAIS+two/=='), text),
      },
      { requiredKeys: ['accessKeyId', 'accessKeySecret'] },
    ),
    region: fc.constantFrom('cn-hangzhou', 'cn-beijing', 'us-west-1'),
    bucket: fc.constantFrom('acme-media', 'acme-logs', 'other'),
    endpoint: fc.constantFrom<Endpoint[]>(
      'public',
      { url: 'https://upload.example.com', addressing: 'cname' },
      { url: 'https://upload.example.com', addressing: 'path' },
      { url: 'http://127.0.0.1:9000', addressing: 'path' },
    ),
    key: objectKey,
    headers,
    contentLength: fc.nat(),
    signedAt: fc.oneof(
      // Around one midnight: days and seconds change back and forth.
      fc.integer({ min: -2500, max: 2500 }).map((ms) => new Date(Date.UTC(2026, 10, 24) + ms)),
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
    ),
    expiresInSeconds: fc.integer({ min: 1, max: 604_800 }),
  },
  {
    requiredKeys: [
      ...(['credentials', 'region', 'bucket', 'endpoint', 'key', 'headers'] as const),
      ...(['signedAt', 'expiresInSeconds'] as const),
    ],
  },
);

it('signs as the plain form of the algorithm does, whatever was signed before', () => {
  fc.assert(
    fc.property(fc.array(put, { minLength: 1, maxLength: 12 }), (puts) => {
      expect(puts.map((one) => presignPut(one).url)).toStrictEqual(puts.map((one) => referenceUrl(one)));
    }),
    { numRuns: 300 },
  );
});

it('signs further query parameters as the plain form of the algorithm does', () => {
  const parameterName = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    fc.constant('x-oss-e'),
  );
  fc.assert(
    fc.property(
      put,
      fc.dictionary(parameterName, text, { maxKeys: 4 }),
      ({ contentLength, ...one }, query) => {
        const signed = presign({ ...one, method: 'PUT', additionalHeaders: Object.keys(one.headers), query });
        expect(signed.url).toBe(referenceUrl(one, query));
      },
    ),
    { numRuns: 300 },
  );
});
