import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormUpload, Signing } from '../../../src/storage/object-storage.ts';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';
import { isFormHeader } from '../../../src/storage/oss/form-fields.ts';
import { postPolicy } from '../../../src/storage/oss/signing/post-policy.ts';
import { now } from '../../support/fixed-clock.ts';

const BUCKET = { bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' } as const;
const UPLOAD: FormUpload = {
  key: 'users/alice/photo.png',
  contentType: 'image/png',
  contentLength: { min: 7, max: 7 },
  metadata: {},
  overwrite: true,
};
const SIGNING: Signing = {
  credentials: { accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'TheSecret' },
  signedAt: now,
  expiresInSeconds: 600,
};

const sign = (
  change: Partial<FormUpload & Signing> = {},
  headers: Readonly<Record<string, string>> = {},
  bucket: Partial<Parameters<typeof prepareBucket>[0]> = {},
) =>
  prepareBucket({ ...BUCKET, ...bucket })
    .prepareUploads(headers)
    .presignForm({ ...UPLOAD, ...change }, { ...SIGNING, ...change });

type Policy = { readonly expiration: string; readonly conditions: readonly unknown[] };

const policyOf = ({ policy = '' }: Readonly<Record<string, string>>): Policy =>
  JSON.parse(Buffer.from(policy, 'base64').toString());

describe('a form', () => {
  it('has every field of the upload and of its rule, and a condition with the exact value of each', () => {
    const upload = {
      overwrite: false,
      metadata: { album: '42' },
      cacheControl: 'no-cache',
      contentDisposition: 'attachment; filename="a.png"',
      contentEncoding: 'gzip',
    };
    const { method, url, fields, fileField } = sign(upload, {
      'Content-Disposition': 'attachment',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
      'x-oss-storage-class': 'IA',
      'x-oss-object-acl': 'private',
      'x-oss-meta-team': 'web',
      'x-oss-server-side-encryption': 'KMS',
      'x-oss-server-side-encryption-key-id': 'key-1',
    });
    const bound = {
      key: UPLOAD.key,
      'x-oss-content-type': 'image/png',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment; filename="a.png"',
      'Content-Encoding': 'gzip',
      'x-oss-forbid-overwrite': 'true',
      'x-oss-meta-album': '42',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
      'x-oss-storage-class': 'IA',
      'x-oss-object-acl': 'private',
      'x-oss-meta-team': 'web',
      'x-oss-server-side-encryption': 'KMS',
      'x-oss-server-side-encryption-key-id': 'key-1',
      success_action_status: '200',
    };
    const signature = {
      'x-oss-signature-version': 'OSS4-HMAC-SHA256',
      'x-oss-credential': 'LTAI5tTestKey/20261123/cn-hangzhou/oss/aliyun_v4_request',
      'x-oss-date': '20261123T100000Z',
    };
    expect({ method, url, fileField }).toStrictEqual({
      method: 'POST',
      url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/',
      fileField: 'file',
    });
    expect(fields).toStrictEqual({
      ...bound,
      ...signature,
      policy: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      'x-oss-signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(policyOf(fields)).toStrictEqual({
      expiration: '2026-11-23T10:10:00.000Z',
      conditions: [
        ...Object.entries({ bucket: 'acme-media', ...signature }).map(([name, value]) => ({ [name]: value })),
        ['content-length-range', 7, 7],
        ...Object.entries(bound).map(([name, value]) => ['eq', `$${name}`, value]),
      ],
    });
  });

  it('has an ACL and a storage class that the client cannot choose, also without any header of the rule', () => {
    const { fields } = sign({ overwrite: false });
    expect(fields).toMatchObject({
      'x-oss-object-acl': 'default',
      'x-oss-storage-class': 'Standard',
      'x-oss-forbid-overwrite': 'true',
    });
    const conditions = JSON.stringify(policyOf(fields).conditions);
    expect(conditions).toContain('["eq","$x-oss-object-acl","default"]');
    expect(conditions).toContain('["eq","$x-oss-storage-class","Standard"]');
    expect(conditions).toContain('["eq","$x-oss-forbid-overwrite","true"]');
    expect(sign({ overwrite: true }).fields).not.toHaveProperty('x-oss-forbid-overwrite');
  });

  it('has each field in the spelling of OSS, however rules write the header', () => {
    const { fields } = sign(
      {},
      {
        'X-OSS-Object-ACL': 'private',
        'X-Oss-Storage-Class': 'Archive',
        'X-OSS-Meta-Team': 'web',
        'CACHE-CONTROL': 'no-cache',
        expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
      },
    );
    expect(Object.keys(fields).slice(0, 8)).toStrictEqual([
      'key',
      'x-oss-content-type',
      'x-oss-object-acl',
      'x-oss-storage-class',
      'x-oss-meta-team',
      'Cache-Control',
      'Expires',
      'success_action_status',
    ]);
    expect(fields).toMatchObject({ 'x-oss-object-acl': 'private', 'x-oss-storage-class': 'Archive' });
    expect(policyOf(fields).conditions).toContainEqual(['eq', '$x-oss-object-acl', 'private']);
  });

  it('binds the token of temporary credentials', () => {
    const credentials = { ...SIGNING.credentials, securityToken: 'token/with+plus==' };
    const { fields } = sign({ credentials });
    expect(fields['x-oss-security-token']).toBe(credentials.securityToken);
    expect(policyOf(fields).conditions).toContainEqual({ 'x-oss-security-token': credentials.securityToken });
    expect(sign().fields).not.toHaveProperty('x-oss-security-token');
  });

  it('is signed over the text of its policy', () => {
    const { fields } = sign();
    const steps = ['20261123', 'cn-hangzhou', 'oss', 'aliyun_v4_request'];
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const key = steps.reduce<string | Buffer>(hmac, 'aliyun_v4TheSecret');
    expect(fields['x-oss-signature']).toBe(hmac(key, fields.policy ?? '').toString('hex'));
  });

  it.each([[{ min: 0, max: 0 }], [{ min: 0, max: 5 * 1024 ** 3 }], [{ min: 1, max: 2 }]])(
    'binds the length %j',
    (contentLength) => {
      const { conditions } = policyOf(sign({ contentLength }).fields);
      expect(conditions).toContainEqual(['content-length-range', contentLength.min, contentLength.max]);
    },
  );

  it.each([
    ['internal', 'https://acme-media.oss-cn-hangzhou-internal.aliyuncs.com/'],
    [{ url: 'https://upload.example.com', addressing: 'cname' }, 'https://upload.example.com/'],
    [{ url: 'http://127.0.0.1:9000', addressing: 'path' }, 'http://127.0.0.1:9000/acme-media/'],
  ] as const)('is sent to the address of the bucket with the endpoint %j', (endpoint, url) => {
    expect(sign({}, {}, { endpoint }).url).toBe(url);
  });

  it('cuts the instant to whole seconds, and ends 7 days later at most', () => {
    const signedAt = new Date('2026-11-23T10:00:00.999Z');
    const { fields } = sign({ signedAt, expiresInSeconds: 604_800 });
    expect(fields['x-oss-date']).toBe('20261123T100000Z');
    expect(policyOf(fields).expiration).toBe('2026-11-30T10:00:00.000Z');
  });
});

it('escapes a value as JSON does, and a dollar sign in it', () => {
  const value = 'a$b"c\\d["eq","$e/文 😀';
  expect(postPolicy(now, [['eq', '$key', value], { bucket: '$' }])).toBe(
    '{"expiration":"2026-11-23T10:00:00.000Z","conditions":[["eq","$key","a\\u0024b\\"c\\\\d[\\"eq\\",\\"\\u0024e/文 😀"],{"bucket":"\\u0024"}]}',
  );
});

it('writes every value so that it is read unchanged', () => {
  const character = fc.oneof(
    fc.constantFrom('$', '\\', '"', '["eq","$', '{', '}'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  fc.assert(
    fc.property(fc.string({ unit: character }), (value) => {
      const text = postPolicy(now, [['eq', '$key', value]]);
      expect(JSON.parse(text).conditions).toStrictEqual([['eq', '$key', value]]);
      // The only dollar sign is that before the name of the field.
      expect(text.split('$')).toHaveLength(2);
    }),
    { numRuns: 200 },
  );
});

it.each<[string, Partial<FormUpload & Signing>, RegExp]>([
  ['no time', { expiresInSeconds: 0 }, /expiresInSeconds/],
  ['more than seven days', { expiresInSeconds: 604_801 }, /expiresInSeconds/],
  ['an empty key', { key: '' }, /empty/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the text that OSS expands.
  ['a key that OSS expands', { key: 'users/alice/${filename}' }, /expands/],
  ['half a surrogate pair', { key: 'a\ud83d' }, /surrogate/],
  ['a negative length', { contentLength: { min: -1, max: 1 } }, /range/],
  ['a length that is no range', { contentLength: { min: 2, max: 1 } }, /range/],
  ['half a byte', { contentLength: { min: 0, max: 0.5 } }, /range/],
  ['a line break in a value', { metadata: { a: 'a\r\nb: c' } }, /printable ASCII/],
  ['metadata in two spellings', { metadata: { a: '1', A: '2' } }, /duplicated/],
])('rejects %s, and repeats nothing of it', (_name, change, reason) => {
  const attempt = () => sign(change);
  expect(attempt).toThrow(TypeError);
  expect(attempt).toThrow(reason);
  expect(attempt).not.toThrow(/TheSecret|b: c/);
});

it('signs no form with a header that a form cannot carry, but a PUT', () => {
  const uploads = prepareBucket(BUCKET).prepareUploads({ 'x-oss-tagging': 'a=b' });
  expect(() => uploads.presignForm(UPLOAD, SIGNING)).toThrow('a form cannot carry x-oss-tagging');
  expect(uploads.presign({ ...UPLOAD, contentLength: 7 }, SIGNING).headers).toMatchObject({
    'x-oss-tagging': 'a=b',
  });
});

it.each([
  ['Cache-Control', true],
  ['x-oss-meta-team', true],
  ['X-OSS-Object-ACL', true],
  ['Content-Language', false],
  ['Content-MD5', false],
  ['x-oss-tagging', false],
  ['x-oss-callback', false],
  ['x-oss-callback-var', false],
  ['x-oss-request-payer', false],
  ['x-oss-traffic-limit', false],
  ['x-oss-server-side-data-encryption', false],
])('knows whether a form can carry %s: %s', (header, isCarried) => {
  expect(isFormHeader(header)).toBe(isCarried);
});
