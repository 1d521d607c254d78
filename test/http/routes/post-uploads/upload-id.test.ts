import { expect, it } from 'vitest';
import { attributeDigests } from '../../../../src/grants/attribute-digests.ts';
import { type GrantedUpload, openUploadId } from '../../../../src/grants/upload-id.ts';
import { now } from '../../../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { createTestApp, GRANT_ID } from '../../../support/test-app.ts';

const keys = serviceKeysOf('first');
const serviceKeys = { current: () => keys, isShared: true };
const { key: _, ...WITHOUT_KEY } = PHOTO;
const NAMED = { ...WITHOUT_KEY, filename: 'photo.png' };

const createApp = (fields: Readonly<Record<string, unknown>> = {}) =>
  createTestApp({
    serviceKeys,
    policyYaml: policyWith({ rules: [ownFilesRule({ transfers: ['put', 'form'], ...fields })] }),
  });

async function grant(request: object, fields: Readonly<Record<string, unknown>> = {}) {
  const { post } = await createApp(fields);
  const { status, body } = await post(request);
  expect(status, JSON.stringify(body)).toBe(201);
  return { body, granted: openUploadId(keys, body.id ?? '') };
}

const ISSUED_AT = now.getTime() / 1000;
const EXPECTED: GrantedUpload = {
  grantId: GRANT_ID,
  transfer: 'put',
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  key: 'users/alice/photo.png',
  isMarked: true,
  contentLength: { min: 48_213, max: 48_213 },
  contentType: 'image/png',
  contentMd5: undefined,
  attributes: attributeDigests({
    metadata: {},
    cacheControl: undefined,
    contentDisposition: 'attachment',
    contentEncoding: undefined,
    expires: undefined,
  }),
  multipart: undefined,
  caller: { issuer: 'https://login.test/', subject: 'alice' },
  issuedAt: ISSUED_AT,
  expiresAt: ISSUED_AT + 600 + 86_400,
};

it('binds what was granted, for 24 hours longer than the URL', async () => {
  const { body, granted } = await grant(PHOTO);
  expect(granted).toStrictEqual(EXPECTED);
  expect(body.idExpiresAt).toBe('2026-11-24T10:10:00Z');
  expect(body.headers['x-oss-meta-upload-id']).toBe(GRANT_ID);
  expect((await grant({ ...PHOTO, expiresIn: 60 })).granted?.expiresAt).toBe(ISSUED_AT + 60 + 86_400);
});

it('binds a form in the same way, whose fields carry the grant id', async () => {
  const { body, granted } = await grant({ ...PHOTO, transfer: 'form' });
  expect(granted).toStrictEqual({ ...EXPECTED, transfer: 'form' });
  expect(body.fields['x-oss-meta-upload-id']).toBe(GRANT_ID);
});

it('needs no mark on the object of a PUT where the key has the grant id', async () => {
  const { body, granted } = await grant(NAMED);
  expect(granted).toStrictEqual({ ...EXPECTED, key: `users/alice/${GRANT_ID}.png`, isMarked: false });
  expect(JSON.stringify(body.headers)).not.toContain('upload-id');
});

it('marks every form, so that a client cannot send the id of another grant in a free field', async () => {
  const { body, granted } = await grant({ ...NAMED, transfer: 'form' });
  const key = `users/alice/${GRANT_ID}.png`;
  expect(granted).toStrictEqual({ ...EXPECTED, transfer: 'form', key, isMarked: true });
  const policy = JSON.parse(Buffer.from(body.fields.policy, 'base64').toString());
  expect(policy.conditions).toContainEqual(['eq', '$x-oss-meta-upload-id', GRANT_ID]);
});

it.each<[string, object, Readonly<Record<string, unknown>>, Partial<GrantedUpload>]>([
  [
    'any length',
    { contentLength: undefined },
    { maxSize: 'unlimited' },
    { contentLength: { min: 0, max: null } },
  ],
  [
    'a range',
    { contentLength: undefined, transfer: 'form', maxContentLength: 9 },
    {},
    { transfer: 'form', contentLength: { min: 0, max: 9 } },
  ],
  ['an empty file', { contentLength: 0 }, {}, { contentLength: { min: 0, max: 0 } }],
  ['an MD5', { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' }, {}, { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' }],
  ['the type as sent', { contentType: 'Image/PNG' }, {}, { contentType: 'Image/PNG' }],
])('binds %s', async (_title, change, fields, expected) => {
  expect((await grant({ ...PHOTO, ...change }, fields)).granted).toStrictEqual({ ...EXPECTED, ...expected });
});

it('binds every attribute, of the rule and of the request', async () => {
  const headers = {
    'x-oss-meta-source': 'web',
    Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
    'x-oss-storage-class': 'IA',
  };
  const { granted } = await grant(
    { ...PHOTO, metadata: { Album: ' 42 ' }, cacheControl: 'no-cache', contentEncoding: 'gzip' },
    { clientHeaders: ['cacheControl', 'contentEncoding'], headers },
  );
  expect(granted?.attributes).toStrictEqual(
    attributeDigests({
      metadata: { source: 'web', album: '42' },
      cacheControl: 'no-cache',
      contentDisposition: 'attachment',
      contentEncoding: 'gzip',
      expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
    }),
  );
});

it('binds the disposition with the file name that the rule keeps', async () => {
  const { body, granted } = await grant({ ...NAMED, filename: '报告.png' }, { keepFilename: true });
  expect(granted?.attributes.contentDisposition).toBe(
    attributeDigests({
      metadata: {},
      cacheControl: undefined,
      contentDisposition: body.headers['Content-Disposition'],
      contentEncoding: undefined,
      expires: undefined,
    }).contentDisposition,
  );
});

it('is left out with its mark where the rule has receipts: false', async () => {
  for (const request of [PHOTO, NAMED, { ...PHOTO, transfer: 'form' }]) {
    const { body } = await grant(request, { receipts: false });
    expect(body).not.toHaveProperty('id');
    expect(body).not.toHaveProperty('idExpiresAt');
    expect(JSON.stringify(body)).not.toContain('upload-id');
  }
});

it('is not granted for metadata that a caller names upload-id', async () => {
  const { post } = await createApp();
  for (const name of ['upload-id', 'Upload-Id']) {
    const { status, body } = await post({ ...PHOTO, metadata: { [name]: GRANT_ID } });
    expect([status, body.errors[0].pointer, body.errors[0].code]).toStrictEqual([
      403,
      '/metadata/upload-id',
      'metadata_not_allowed',
    ]);
  }
});

it('never reaches the log, which has the grant id', async () => {
  const { post, log } = await createApp();
  const { body } = await post(PHOTO);
  const lines = log.join('');
  expect(lines).toContain(`"grantId":"${GRANT_ID}"`);
  for (const part of body.id.split('.')) expect(lines).not.toContain(part);
});
