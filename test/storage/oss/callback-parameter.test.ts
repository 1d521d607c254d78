import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ObjectUpload, Signing } from '../../../src/storage/object-storage.ts';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';
import { callbackParameter } from '../../../src/storage/oss/callback-parameter.ts';
import { presign } from '../../../src/storage/oss/signing/presign.ts';
import { now } from '../../support/fixed-clock.ts';

const CALLBACK = { url: 'https://presign.example.com/v1/callbacks/oss', id: 'AQEB-_z.0mac' };
const BUCKET = { bucket: 'acme-media', region: 'cn-hangzhou', endpoint: 'public' } as const;
const SIGNING: Signing = {
  credentials: { accessKeyId: 'STS.One', accessKeySecret: 'TheSecret', securityToken: 'token/one==' },
  signedAt: now,
  expiresInSeconds: 600,
};
const UPLOAD: ObjectUpload = {
  key: 'users/alice/photo.png',
  contentType: 'image/png',
  contentLength: 7,
  metadata: {},
  overwrite: false,
};

const read = (parameter: string) => JSON.parse(Buffer.from(parameter, 'base64').toString());

describe('a callback', () => {
  it('sends the upload id as JSON to the address of the service', () => {
    expect(read(callbackParameter(CALLBACK))).toStrictEqual({
      callbackUrl: 'https://presign.example.com/v1/callbacks/oss',
      callbackBody: '{"id":"AQEB-_z.0mac"}',
      callbackBodyType: 'application/json',
      callbackSNI: true,
    });
  });

  it('names the host in TLS only if there is TLS', () => {
    const plain = callbackParameter({ ...CALLBACK, url: 'http://127.0.0.1:8080/v1/callbacks/oss' });
    expect(read(plain)).not.toHaveProperty('callbackSNI');
  });

  it('names one address, also if its path has the character that separates addresses', () => {
    const { callbackUrl } = read(callbackParameter({ ...CALLBACK, url: 'https://x.example/a;b/c;/cb' }));
    expect(callbackUrl).toBe('https://x.example/a%3Bb/c%3B/cb');
  });

  it('fits into the 5 KiB of OSS with the longest upload id and the longest PUBLIC_URL', () => {
    const url = `https://${'x'.repeat(247)}/v1/callbacks/oss`;
    expect(callbackParameter({ url, id: 'x'.repeat(3072) }).length).toBeLessThanOrEqual(5 * 1024);
    expect(() => callbackParameter({ url: url.repeat(4), id: 'x'.repeat(3072) })).toThrow('5120 characters');
  });

  it.each(['', '$' + '{object}', 'a"b', 'a b', 'x'.repeat(5121)])('has no other id: %j', (id) => {
    expect(() => callbackParameter({ ...CALLBACK, id })).toThrow('must be an upload id');
  });
});

it('is a signed parameter of a URL, and changes no header', () => {
  const uploads = prepareBucket(BUCKET).prepareUploads({ 'Cache-Control': 'no-cache' });
  const plain = uploads.presign(UPLOAD, SIGNING);
  const signed = uploads.presign({ ...UPLOAD, callback: CALLBACK }, SIGNING);
  expect(signed.headers).toStrictEqual(plain.headers);
  const { url } = presign({
    ...BUCKET,
    ...SIGNING,
    method: 'PUT',
    key: UPLOAD.key,
    headers: { ...plain.headers, 'Content-Length': '7' },
    additionalHeaders: ['cache-control', 'content-length'],
    query: { callback: callbackParameter(CALLBACK) },
  });
  expect(signed.url).toBe(url);
  expect(new URL(plain.url).searchParams.has('callback')).toBe(false);
  expect(new URL(signed.url).searchParams.get('callback')).toBe(callbackParameter(CALLBACK));
});

it('is a field of a form with a condition for its exact value', () => {
  const form = { ...UPLOAD, contentLength: { min: 7, max: 7 }, callback: CALLBACK };
  const uploads = prepareBucket(BUCKET).prepareUploads({});
  const { fields } = uploads.presignForm(form, SIGNING);
  const callback = callbackParameter(CALLBACK);
  expect(fields.callback).toBe(callback);
  expect(uploads.formFields(form).callback).toBe(callback);
  const { conditions } = read(fields.policy ?? '');
  expect(conditions).toContainEqual(['eq', '$callback', callback]);
  const { callback: _, ...without } = form;
  expect(uploads.presignForm(without, SIGNING).fields).not.toHaveProperty('callback');
});

it('is named as in the form of the SDK', () => {
  const { vectors } = JSON.parse(
    readFileSync(new URL('signing/vectors/post-policy.json', import.meta.url), 'utf8'),
  );
  const vector = vectors.find(({ name }: { name: string }) => name === 'post-callback');
  expect(Object.keys(read(vector.expected.formFields.callback)).sort()).toStrictEqual([
    'callbackBody',
    'callbackBodyType',
    'callbackUrl',
  ]);
});
