import OSS from 'ali-oss';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepareBucket } from '../../../../src/storage/oss/bucket.ts';
import { presign } from '../../../../src/storage/oss/signing/presign.ts';
import { now } from '../../../support/fixed-clock.ts';

// Compares with the official SDK at one frozen instant, because the SDK's signer reads the machine's
// clock.

beforeEach(() => void vi.useFakeTimers({ now, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const LONG_LIVED = { accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'TestSecret0123456789' };
const TEMPORARY = { ...LONG_LIVED, accessKeyId: 'STS.NUTestKey', securityToken: 'CAIS+token/with==pads' };

async function theirSignature(
  credentials: { accessKeyId: string; accessKeySecret: string; securityToken?: string },
  key: string,
  headers: Record<string, string>,
  additionalHeaders: string[],
): Promise<string | null> {
  const { accessKeyId, accessKeySecret, securityToken } = credentials;
  const client = new OSS({
    accessKeyId,
    accessKeySecret,
    ...(securityToken && {
      stsToken: securityToken,
      refreshSTSToken: async () => ({}) as never,
      refreshSTSTokenInterval: 1e9,
    }),
    bucket: 'acme-media',
    region: 'oss-cn-hangzhou',
    secure: true,
  } as OSS.Options);
  const url = await client.signatureUrlV4('PUT', 600, { headers }, key, additionalHeaders);
  return new URL(url).searchParams.get('x-oss-signature');
}

describe.each([
  ['long-lived', LONG_LIVED],
  ['temporary', TEMPORARY],
])('with %s credentials', (_name, credentials) => {
  it.each<[string, string, Record<string, string>, string[]]>([
    ['a plain key', 'a.txt', {}, []],
    ['a type', 'a.txt', { 'content-type': 'image/png' }, []],
    ['a type with a parameter', 'a.txt', { 'content-type': 'text/plain; charset=utf-8' }, []],
    ['an MD5', 'a.txt', { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' }, []],
    ['metadata', 'a.txt', { 'x-oss-meta-b': '2', 'x-oss-meta-a': '1', 'x-oss-meta-a-b': '3' }, []],
    ['inner blanks', 'a.txt', { 'x-oss-meta-a': 'one  two' }, []],
    ['a bound length', 'a.txt', { 'content-length': '48213' }, ['content-length']],
    [
      'every header that a response can list',
      'a.txt',
      {
        'content-type': 'image/png',
        'content-length': '5',
        'cache-control': 'no-cache',
        'content-disposition': 'attachment; filename="a b.txt"',
        'content-encoding': 'gzip',
        'x-oss-forbid-overwrite': 'true',
        'x-oss-object-acl': 'private',
        'x-oss-tagging': 'a=1&b=2',
      },
      ['cache-control', 'content-disposition', 'content-encoding', 'content-length'],
    ],
    ['a key with a space', 'my file.txt', {}, []],
    ['a key with plus and percent', '1+1=2 100%25.txt', {}, []],
    ['a key with quotes and brackets', `"it's" (1)[2]{3}!*.txt`, {}, []],
    ['a key with reserved characters', 'a?b#c&d=e;f:g@h$i,j.txt', {}, []],
    ['a Chinese key', '目录/报告 最终.txt', {}, []],
    ['a key with emoji', '😀/👩‍👩‍👧.png', {}, []],
    ['a key of 1023 bytes', '图'.repeat(341), {}, []],
  ])('agrees on %s', async (_what, key, headers, additionalHeaders) => {
    const ours = presign({
      credentials,
      method: 'PUT',
      region: 'cn-hangzhou',
      bucket: 'acme-media',
      endpoint: 'public',
      key,
      headers,
      additionalHeaders,
      signedAt: now,
      expiresInSeconds: 600,
    });
    expect(ours.signature).toBe(await theirSignature(credentials, key, headers, additionalHeaders));
  });
});

it.each([
  ['plain values', 'a.txt', {}],
  // No dollar sign: the SDK serializes the JSON again, without the escape.
  ['quotation marks and Chinese', 'users/a "b" 报告.txt', { album: '"x" \\' }],
])('signs the policy of a form with %s as the SDK does', (_name, key, metadata) => {
  const { fields } = prepareBucket({ bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' })
    .prepareUploads({})
    .presignForm(
      { key, contentType: 'text/plain', contentLength: { min: 0, max: 5 }, metadata, overwrite: false },
      { credentials: LONG_LIVED, signedAt: now, expiresInSeconds: 600 },
    );
  const client = new OSS({ ...LONG_LIVED, bucket: 'acme-media', region: 'oss-cn-hangzhou' }) as OSS & {
    // Not among its types.
    signPostObjectPolicyV4(policy: string, date: Date): string;
  };
  const policy = Buffer.from(fields.policy ?? '', 'base64').toString();
  expect(client.signPostObjectPolicyV4(policy, now)).toBe(fields['x-oss-signature']);
});
