import { describe, expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp, GRANT_ID } from '../../../support/test-app.ts';

const FORM = { ...PHOTO, transfer: 'form' };
const { contentLength: _, ...WITHOUT_LENGTH } = FORM;

/** The app with a rule that allows forms, changed by `fields`. */
const createFormApp = (
  fields: Readonly<Record<string, unknown>> = {},
  dependencies: Parameters<typeof createTestApp>[0] = {},
) =>
  createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ transfers: ['put', 'form'], ...fields })] }),
    ...dependencies,
  });

const policyOf = ({ policy }: Readonly<Record<string, string>>) =>
  JSON.parse(Buffer.from(policy ?? '', 'base64').toString());
const rangeOf = (fields: Readonly<Record<string, string>>) =>
  policyOf(fields).conditions.find(
    (condition: unknown) => Array.isArray(condition) && condition[0] === 'content-length-range',
  );

it('returns everything that a form needs, and nothing else', async () => {
  const { post } = await createFormApp();
  const response = await post({ ...FORM, metadata: { Album: ' 42 ' }, cacheControl: 'no-cache' });
  expect(response.status).toBe(201);
  expect(response.headers['cache-control']).toBe('no-store');
  const { fields, ...rest } = response.body;
  expect(rest).toStrictEqual({
    transfer: 'form',
    method: 'POST',
    url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com/',
    fileField: 'file',
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
  expect(fields).toStrictEqual({
    key: 'users/alice/photo.png',
    'x-oss-content-type': 'image/png',
    'Cache-Control': 'no-cache',
    'Content-Disposition': 'attachment',
    'x-oss-forbid-overwrite': 'true',
    'x-oss-meta-album': '42',
    'x-oss-meta-upload-id': GRANT_ID,
    success_action_status: '200',
    'x-oss-object-acl': 'default',
    'x-oss-storage-class': 'Standard',
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': 'LTAI5tTestKey/20261123/cn-hangzhou/oss/aliyun_v4_request',
    'x-oss-date': '20261123T100000Z',
    policy: expect.stringMatching(/^[\w+/]+=*$/),
    'x-oss-signature': expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(policyOf(fields).expiration).toBe('2026-11-23T10:10:00.000Z');
});

it.each<[string, Record<string, unknown>, number | null, readonly [number, number]]>([
  ['the exact length', { contentLength: 7 }, 7, [7, 7]],
  ['an empty file', { contentLength: 0 }, 0, [0, 0]],
  ['a maximum', { maxContentLength: 1024 ** 2 }, null, [0, 1024 ** 2]],
  ['a maximum of 0', { maxContentLength: 0 }, null, [0, 0]],
])('binds %s', async (_name, length, contentLength, range) => {
  const { post } = await createFormApp();
  const { body } = await post({ ...WITHOUT_LENGTH, ...length });
  expect(body.contentLength).toBe(contentLength);
  expect(rangeOf(body.fields)).toStrictEqual(['content-length-range', ...range]);
});

it('binds a length where the rule leaves that of a PUT free', async () => {
  const { post } = await createFormApp({ maxSize: 'unlimited' });
  const denied = await post(WITHOUT_LENGTH);
  expect([denied.status, denied.body.errors]).toStrictEqual([
    403,
    [
      {
        pointer: '/contentLength',
        code: 'length_required',
        detail:
          'A form needs the exact length of the file in bytes, or its largest length as maxContentLength.',
      },
    ],
  ]);
  const { body } = await post({ ...WITHOUT_LENGTH, maxContentLength: 5 * 1024 ** 3 });
  expect(rangeOf(body.fields)).toStrictEqual(['content-length-range', 0, 5 * 1024 ** 3]);
});

it('counts the maximum against the bytes of a day', async () => {
  const { post } = await createFormApp({ limits: { bytesPerDay: '1MiB' } });
  const request = { ...WITHOUT_LENGTH, maxContentLength: 600 * 1024 };
  expect((await post(request)).status).toBe(201);
  const limited = await post(request);
  expect([limited.status, limited.body.code]).toStrictEqual([429, 'rate_limited']);
  expect((await post({ ...request, maxContentLength: 400 * 1024 })).status).toBe(201);
});

it('creates the key, and signs the file name where the rule keeps it', async () => {
  const { post } = await createFormApp({ keepFilename: true });
  const { body } = await post({
    transfer: 'form',
    filename: '报告 "1".PNG',
    contentType: 'image/png',
    maxContentLength: 7,
  });
  expect(body.key).toBe('users/alice/019ab000-0000-7000-8000-000000000001.png');
  expect(body.fields).toMatchObject({
    key: body.key,
    'Content-Disposition': `attachment; filename="?? \\"1\\".PNG"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%20%221%22.PNG`,
  });
});

it('has the headers of the rule and those that the client may set as fields', async () => {
  const { post } = await createFormApp({
    overwrite: true,
    clientHeaders: ['cacheControl', 'contentEncoding'],
    headers: { 'x-oss-storage-class': 'IA', 'x-oss-object-acl': 'private', 'x-oss-meta-team': 'web' },
  });
  const { body } = await post({ ...FORM, overwrite: true, contentEncoding: 'gzip' });
  expect(body.fields).toMatchObject({
    'Content-Encoding': 'gzip',
    'x-oss-storage-class': 'IA',
    'x-oss-object-acl': 'private',
    'x-oss-meta-team': 'web',
  });
  expect(body.fields).not.toHaveProperty('x-oss-forbid-overwrite');
});

it('never expires after the credentials, and binds their token', async () => {
  const credentials = {
    accessKeyId: 'STS.key',
    accessKeySecret: 'secret',
    securityToken: 'token+/=',
    expiresAt: new Date('2026-11-23T10:01:30.900Z'),
  };
  const { post } = await createFormApp({}, { credentials: { get: async () => credentials } });
  const { body } = await post(FORM);
  expect(body).toMatchObject({ expires: 90, expiresLimitedBy: 'credentials' });
  expect(body.fields['x-oss-security-token']).toBe('token+/=');
  const { expiration, conditions } = policyOf(body.fields);
  expect(expiration).toBe('2026-11-23T10:01:30.000Z');
  expect(conditions).toContainEqual({ 'x-oss-security-token': 'token+/=' });
});

describe('rejects', () => {
  const MAX_OF_PUT = 'maxContentLength is for "transfer": "form" only; send the exact contentLength.';

  it.each<[string, Record<string, unknown>, string, string, string]>([
    [
      'both lengths',
      { ...FORM, maxContentLength: 1 },
      '/maxContentLength',
      'conflict',
      'Send either contentLength or maxContentLength, not both.',
    ],
    ['a maximum for a PUT', { ...PHOTO, maxContentLength: 1 }, '/maxContentLength', 'conflict', MAX_OF_PUT],
    [
      'a maximum for a PUT without a length',
      { ...WITHOUT_LENGTH, transfer: 'put', maxContentLength: 1 },
      '/maxContentLength',
      'conflict',
      MAX_OF_PUT,
    ],
    [
      'an MD5, which OSS cannot bind',
      { ...FORM, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
      '/contentMd5',
      'conflict',
      'OSS cannot bind the MD5 of a form; leave contentMd5 out, or send "transfer": "put".',
    ],
    [
      'a negative maximum',
      { ...WITHOUT_LENGTH, maxContentLength: -1 },
      '/maxContentLength',
      'invalid_value',
      'maxContentLength must not be negative.',
    ],
    [
      'a maximum as text',
      { ...WITHOUT_LENGTH, maxContentLength: '1' },
      '/maxContentLength',
      'invalid_type',
      'maxContentLength must be a whole number, not a string.',
    ],
    [
      'another transfer',
      { ...PHOTO, transfer: 'post' },
      '/transfer',
      'invalid_value',
      'transfer must be put, form or multipart.',
    ],
  ])('%s', async (_name, request, pointer, code, detail) => {
    const { post } = await createFormApp();
    const { status, body } = await post(request);
    expect([status, body.errors]).toStrictEqual([400, [{ pointer, code, detail }]]);
  });

  it('a form by a rule without forms, and lists what the rule allows', async () => {
    const { post } = await createTestApp();
    const { status, body } = await post(FORM);
    expect([status, body.errors]).toStrictEqual([
      403,
      [
        {
          pointer: '/transfer',
          code: 'transfer_not_allowed',
          detail: 'This rule does not allow the transfer "form"; allowed: put.',
        },
      ],
    ]);
  });

  it('a PUT by a rule with forms only', async () => {
    const { post } = await createFormApp({ transfers: ['form'] });
    expect((await post(PHOTO)).body.errors).toMatchObject([
      { pointer: '/transfer', code: 'transfer_not_allowed' },
    ]);
  });

  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the text that OSS expands.
  it.each(['${filename}', 'a${b', '报告${}'])('a key with %j, which OSS could expand', async (name) => {
    const { post } = await createFormApp();
    const { status, body } = await post({ ...FORM, key: `users/alice/${name}` });
    expect([status, body.errors]).toMatchObject([403, [{ pointer: '/key', code: 'key_not_allowed' }]]);
    expect((await post({ ...PHOTO, key: `users/alice/${name}` })).status).toBe(201);
  });

  it('a caller whose claim brings that into the prefix', async () => {
    const { post } = await createFormApp();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the text that OSS expands.
    const claims = { sub: '${filename}' };
    const request = { ...WITHOUT_LENGTH, key: undefined, filename: 'a.png', maxContentLength: 1 };
    const { status, body } = await post(request, claims);
    expect([status, body.errors]).toMatchObject([403, [{ pointer: '', code: 'key_not_allowed' }]]);
  });
});
