import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp, GRANT_ID } from '../../../support/test-app.ts';

it('returns everything that an upload needs, and nothing else', async () => {
  const { post } = await createTestApp();
  const response = await post({ ...PHOTO, metadata: { Album: ' 42 ' }, cacheControl: 'no-cache' });

  expect(response.status).toBe(201);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers['x-request-id']).toBe('request-1');
  const { url, ...rest } = response.body;
  expect(rest).toStrictEqual({
    transfer: 'put',
    method: 'PUT',
    headers: {
      'Content-Type': 'image/png',
      'Cache-Control': 'no-cache',
      'x-oss-forbid-overwrite': 'true',
      'x-oss-meta-album': '42',
      'x-oss-meta-upload-id': GRANT_ID,
      'Content-Disposition': 'attachment',
    },
    id: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/),
    idExpiresAt: '2026-11-24T10:10:00Z',
    key: 'users/alice/photo.png',
    bucket: 'acme-media',
    region: 'cn-hangzhou',
    target: 'media',
    contentLength: 48_213,
    expires: 600,
    expiresAt: '2026-11-23T10:10:00Z',
    expiresLimitedBy: 'rule',
    serverTime: '2026-11-23T10:00:00Z',
  });
  const { origin, pathname, searchParams } = new URL(url);
  expect(origin + pathname).toBe('https://acme-media.oss-cn-hangzhou.aliyuncs.com/users/alice/photo.png');
  expect(Object.fromEntries(searchParams)).toStrictEqual({
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': 'LTAI5tTestKey/20261123/cn-hangzhou/oss/aliyun_v4_request',
    'x-oss-date': '20261123T100000Z',
    'x-oss-expires': '600',
    'x-oss-additional-headers': 'cache-control;content-disposition;content-length',
    'x-oss-signature': expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

it('creates the key from a file name: prefix, id and safe extension', async () => {
  const { post } = await createTestApp();
  const response = await post({ filename: '../../Übung .PNG', contentType: 'image/png', contentLength: 0 });
  expect(response.status).toBe(201);
  expect(response.body.key).toBe('users/alice/019ab000-0000-7000-8000-000000000001.png');
});

it.each([
  ['a space', 'users/alice/a b.png'],
  ['plus, percent, quotes and brackets', `users/alice/1+1=2 100%25 "it's" (1)[2]{3}.png`],
  ['question mark, hash and ampersand', 'users/alice/what?#&=;:@$,!*.png'],
  ['Chinese', 'users/alice/报告 最终.png'],
  ['an emoji', 'users/alice/😀👩‍👩‍👧.png'],
  ['1023 bytes', `users/alice/${'k'.repeat(1011)}`],
  ['1023 bytes of multi-byte text', `users/alice/${'图'.repeat(337)}`],
])('signs a key with %s as it is', async (_name, key) => {
  const { post } = await createTestApp();
  const response = await post({ ...PHOTO, key });
  expect(response.body).toMatchObject({ key });
  expect(decodeURIComponent(new URL(response.body.url).pathname)).toBe(`/${key}`);
});

it('binds an empty file to the length 0', async () => {
  const { post } = await createTestApp();
  const response = await post({ ...PHOTO, contentLength: 0 });
  expect(response.body.contentLength).toBe(0);
  expect(new URL(response.body.url).searchParams.get('x-oss-additional-headers')).toBe(
    'content-disposition;content-length',
  );
});

it('signs Content-MD5, and the type with its parameters, verbatim', async () => {
  const { post } = await createTestApp();
  const response = await post({
    ...PHOTO,
    contentType: 'Text/Plain; Charset="utf-8"',
    contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
  });
  expect(response.body.headers).toStrictEqual({
    'Content-Type': 'Text/Plain; Charset="utf-8"',
    'Content-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==',
    'x-oss-forbid-overwrite': 'true',
    'x-oss-meta-upload-id': GRANT_ID,
    'Content-Disposition': 'attachment',
  });
});

it('leaves the length open only if the rule has maxSize: unlimited', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ maxSize: 'unlimited' })] }),
  });
  const response = await post({ key: 'users/alice/a', contentType: 'image/png' });
  expect(response.body.contentLength).toBeNull();
  expect(new URL(response.body.url).searchParams.get('x-oss-additional-headers')).toBe('content-disposition');
});

it('lets an upload replace an object only if both rule and request allow it', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ overwrite: true })] }),
  });
  const kept = await post(PHOTO);
  const replaced = await post({ ...PHOTO, overwrite: true });
  expect(kept.body.headers).toHaveProperty('x-oss-forbid-overwrite', 'true');
  expect(replaced.body.headers).not.toHaveProperty('x-oss-forbid-overwrite');
});

it('adds and signs the headers of the rule', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({
      rules: [
        ownFilesRule({ headers: { 'Content-Disposition': 'attachment', 'x-oss-object-acl': 'private' } }),
      ],
    }),
  });
  const response = await post(PHOTO);
  expect(response.body.headers).toStrictEqual({
    'Content-Type': 'image/png',
    'x-oss-forbid-overwrite': 'true',
    'x-oss-meta-upload-id': GRANT_ID,
    'Content-Disposition': 'attachment',
    'x-oss-object-acl': 'private',
  });
  expect(new URL(response.body.url).searchParams.get('x-oss-additional-headers')).toBe(
    'content-disposition;content-length',
  );
});

it.each([
  ['the request', { expiresIn: 60 }, 60, 'request', '2026-11-23T10:01:00Z'],
  ['the rule', {}, 600, 'rule', '2026-11-23T10:10:00Z'],
])('states the real expiry when %s sets it', async (_name, extra, expires, expiresLimitedBy, expiresAt) => {
  const { post } = await createTestApp();
  const response = await post({ ...PHOTO, ...extra });
  expect(response.body).toMatchObject({ expires, expiresLimitedBy, expiresAt });
  expect(new URL(response.body.url).searchParams.get('x-oss-expires')).toBe(String(expires));
});

it('never states an expiry after that of the credentials', async () => {
  const credentials = {
    accessKeyId: 'STS.key',
    accessKeySecret: 'secret',
    securityToken: 'token+/=',
    expiresAt: new Date('2026-11-23T10:01:30.900Z'),
  };
  const { post } = await createTestApp({
    credentials: { get: async () => credentials },
  });
  const response = await post(PHOTO);
  expect(response.body).toMatchObject({
    expires: 90,
    expiresAt: '2026-11-23T10:01:30Z',
    expiresLimitedBy: 'credentials',
  });
  expect(new URL(response.body.url).searchParams.get('x-oss-security-token')).toBe('token+/=');
});

it('returns how much of the rule’s limit is left', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 5 } })] }),
  });
  const response = await post(PHOTO);
  expect(response.status).toBe(201);
  expect(response.headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '4' });
});

it.each([
  [{}, 'attachment'],
  [{ headers: { 'content-disposition': 'INLINE' } }, 'inline'],
])('offers an object under its file name if the rule keeps it: %j', async (fields, type) => {
  const { post } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ keepFilename: true, ...fields })] }),
  });
  const image = { contentType: 'image/png', contentLength: 7 };
  const named = await post({ ...image, filename: '报告 1.png' });
  expect(named.body.headers).toStrictEqual({
    'Content-Type': 'image/png',
    'x-oss-forbid-overwrite': 'true',
    'Content-Disposition': `${type}; filename="?? 1.png"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%201.png`,
  });
  expect(named.body.key).toBe('users/alice/019ab000-0000-7000-8000-000000000001.png');
  expect(new URL(named.body.url).searchParams.get('x-oss-additional-headers')).toBe(
    'content-disposition;content-length',
  );
  const keyed = await post({ ...image, key: 'users/alice/a.png' });
  expect(keyed.body.headers['Content-Disposition'].toLowerCase()).toBe(type);
  const denied = await post({ ...image, filename: 'a/b.png' });
  expect(denied.status).toBe(403);
  expect(denied.body.errors).toStrictEqual([
    {
      pointer: '/filename',
      code: 'key_not_allowed',
      detail:
        'This rule offers the file under its name, and the filename holds "/" or "\\"; send the name without its folders.',
    },
  ]);
});

it('checks the file name’s characters only if the rule keeps it', async () => {
  const { post } = await createTestApp();
  const response = await post({ filename: 'a/b\u202e.png', contentType: 'image/png', contentLength: 7 });
  expect(response.status).toBe(201);
  expect(response.body.headers['Content-Disposition']).toBe('attachment');
});

it.each([
  ['recording.webm', 'video/webm;codecs=vp8,opus', '.webm'],
  ['Recording.WEBM', 'audio/webm; codecs=opus', '.webm'],
  ['notes.txt', 'Text/Plain; charset=UTF-8', '.txt'],
  ['notes.html', 'text/plain; charset=UTF-8', ''],
  ['blob', 'video/webm;codecs=vp8,opus', ''],
])('creates a key for %s of type %s with the extension %j', async (filename, contentType, extension) => {
  const rules = [ownFilesRule({ contentTypes: ['image/*', 'video/*', 'audio/*', 'text/plain'] })];
  const { post } = await createTestApp({ policyYaml: policyWith({ rules }) });
  const response = await post({ filename, contentType, contentLength: 7 });
  expect(response.status).toBe(201);
  expect(response.body.key).toBe(`users/alice/019ab000-0000-7000-8000-000000000001${extension}`);
  expect(response.body.headers['Content-Type']).toBe(contentType);
});
