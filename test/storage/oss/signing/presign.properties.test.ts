import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareBucket } from '../../../../src/storage/oss/bucket.ts';
import { percentEncode } from '../../../../src/storage/oss/signing/percent-encode.ts';
import { type PresignInput, presign } from '../../../../src/storage/oss/signing/presign.ts';
import { codePoint } from '../../../support/code-point.ts';
import { propertyRuns } from '../../../support/property-runs.ts';

const ascii = (pattern: RegExp, maxLength = 24) =>
  fc.stringMatching(pattern).filter((text) => text.length <= maxLength);
const name = ascii(/^[a-z][a-z0-9]{0,9}$/);
const headerValue = ascii(/^[!-~]([ -~]{0,10}[!-~])?$/);

/** Keys that the service permits: well-formed, no control characters, no empty or dot segments, at most 1023 bytes. */
const objectKey = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    fc.string({ unit: codePoint, minLength: 1, maxLength: 60 }),
  )
  .filter((key) => key.isWellFormed() && !/\p{Cc}/u.test(key) && Buffer.byteLength(key) <= 1023)
  .filter((key) => key.split('/').every((segment) => !['', '.', '..'].includes(segment)));

const input: fc.Arbitrary<PresignInput & { headers: Record<string, string> }> = fc.record({
  credentials: fc.record({ accessKeyId: name, accessKeySecret: headerValue, securityToken: headerValue }),
  method: fc.constantFrom('PUT', 'GET', 'POST'),
  region: fc.constantFrom('cn-hangzhou', 'us-west-1'),
  bucket: fc.constantFrom('acme-media', 'other-bucket'),
  endpoint: fc.constantFrom('public' as const, 'dualstack' as const),
  key: objectKey,
  headers: fc
    .dictionary(
      name.map((one) => `x-oss-meta-${one}`),
      headerValue,
      { maxKeys: 4 },
    )
    .map((metadata) => ({
      'content-type': 'image/png',
      'content-length': '5',
      ...metadata,
    })),
  additionalHeaders: fc.constant(['content-length']),
  query: fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 12 }), { maxKeys: 3 }),
  signedAt: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
  expiresInSeconds: fc.integer({ min: 1, max: 604_800 }),
});

/** Each change affects one signed part. */
const CHANGES: readonly (readonly [
  string,
  (signed: PresignInput & { headers: Record<string, string> }) => PresignInput,
])[] = [
  ['the method', (signed) => ({ ...signed, method: 'DELETE' })],
  ['the bucket', (signed) => ({ ...signed, bucket: `${signed.bucket}x` })],
  ['the key', (signed) => ({ ...signed, key: `${signed.key}x` })],
  ['the region', (signed) => ({ ...signed, region: `${signed.region}x` })],
  ['the product', (signed) => ({ ...signed, product: 'oss-cloudbox' })],
  [
    'the key id',
    (signed) => ({
      ...signed,
      credentials: { ...signed.credentials, accessKeyId: `${signed.credentials.accessKeyId}x` },
    }),
  ],
  [
    'the secret',
    (signed) => ({
      ...signed,
      credentials: { ...signed.credentials, accessKeySecret: `${signed.credentials.accessKeySecret}x` },
    }),
  ],
  [
    'the token',
    (signed) => ({
      ...signed,
      credentials: { ...signed.credentials, securityToken: `${signed.credentials.securityToken}x` },
    }),
  ],
  [
    'a header’s value',
    (signed) => ({ ...signed, headers: { ...signed.headers, 'content-type': 'image/jpeg' } }),
  ],
  ['a header’s presence', (signed) => ({ ...signed, headers: { ...signed.headers, 'x-oss-added': '1' } })],
  [
    'a header’s name',
    ({ headers: { 'content-type': type = '', ...headers }, ...signed }) => ({
      ...signed,
      headers: { ...headers, 'x-oss-type': type },
    }),
  ],
  ['the length', (signed) => ({ ...signed, headers: { ...signed.headers, 'content-length': '6' } })],
  ['whether the length is bound', (signed) => ({ ...signed, additionalHeaders: [] })],
  ['a parameter', (signed) => ({ ...signed, query: { ...signed.query, added: '1' } })],
  ['the instant', (signed) => ({ ...signed, signedAt: new Date(signed.signedAt.getTime() + 1000) })],
  [
    'the expiry',
    (signed) => ({
      ...signed,
      expiresInSeconds: signed.expiresInSeconds === 1 ? 2 : signed.expiresInSeconds - 1,
    }),
  ],
];

describe('a change of a signed part changes the signature', () => {
  it.each(CHANGES)('%s', (_what, change) => {
    fc.assert(
      fc.property(input, (signed) => {
        expect(presign(change(signed)).signature).not.toBe(presign(signed).signature);
      }),
      { numRuns: propertyRuns(60) },
    );
  });
});

it('the order and case in which headers are given do not matter', () => {
  fc.assert(
    fc.property(input, (signed) => {
      const turned = Object.fromEntries(
        Object.entries(signed.headers)
          .reverse()
          .map(([header, value]) => [header.toUpperCase(), ` ${value} `]),
      );
      expect(presign({ ...signed, headers: turned }).url).toBe(presign(signed).url);
    }),
    { numRuns: propertyRuns(60) },
  );
});

it('a URL parser finds exactly the key and the parameters that were signed', () => {
  fc.assert(
    fc.property(input, (signed) => {
      const parsed = new URL(presign(signed).url);
      expect(decodeURIComponent(parsed.pathname)).toBe(`/${signed.key}`);
      for (const [parameter, value] of Object.entries(signed.query ?? {})) {
        expect(parsed.searchParams.get(parameter)).toBe(value);
      }
      expect(parsed.searchParams.get('x-oss-security-token')).toBe(signed.credentials.securityToken);
      expect(parsed.href).toBe(presign(signed).url);
    }),
    { numRuns: propertyRuns(300) },
  );
});

it('either URL parsers keep a key unchanged, or the key is rejected', () => {
  const uploads = prepareBucket({
    bucket: 'acme-media',
    region: 'cn-hangzhou',
    endpoint: 'public',
  }).prepareUploads({});
  const signing = {
    credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
    signedAt: new Date(0),
    expiresInSeconds: 1,
  };
  fc.assert(
    fc.property(fc.string({ unit: codePoint, minLength: 1, maxLength: 40 }), (key) => {
      let url: string;
      try {
        const upload = { key, contentType: 'image/png', metadata: {}, overwrite: false };
        url = uploads.presign(upload, signing).url;
      } catch {
        return;
      }
      expect(decodeURIComponent(new URL(url).pathname)).toBe(`/${key}`);
    }),
    { numRuns: propertyRuns(300) },
  );
});

it('a prepared bucket signs a download as any other GET, for every key and Content-Disposition', () => {
  fc.assert(
    fc.property(input, headerValue, (signed, contentDisposition) => {
      const { bucket, region, endpoint, key } = signed;
      const query = { 'response-content-disposition': contentDisposition };
      const { method, url } = prepareBucket({ bucket, region, endpoint }).presignDownload(
        { key, contentDisposition },
        signed,
      );
      expect(method).toBe('GET');
      expect(url).toBe(presign({ ...signed, method, headers: {}, query }).url);
      expect(new URL(url).searchParams.get('response-content-disposition')).toBe(contentDisposition);
    }),
    { numRuns: propertyRuns(300) },
  );
});

it('percent-encoding is undone by decoding, and leaves only unreserved characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: codePoint }).filter((text) => text.isWellFormed()),
      (text) => {
        const encoded = percentEncode(text);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(encoded)).toBe(text);
      },
    ),
  );
});
