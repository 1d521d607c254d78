import { expect, it } from 'vitest';
import { createTestApp } from '../../support/test-app.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };

it('names every fault at once by JSON pointer', async () => {
  const { post } = await createTestApp();
  const answer = await post({
    contentLength: -1,
    contentMd5: 'nope',
    metadata: { 'a b': 'x', album: 7 },
    cacheControl: 'a\nb',
    expiresIn: 0,
    overwrite: 'yes',
    target: '',
    surprise: 1,
    'a/b~c': 2,
  });
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(answer.body).toStrictEqual({
    type: 'urn:oss-presign:problem:invalid_request',
    title: 'The request is not valid',
    status: 400,
    code: 'invalid_request',
    detail: expect.stringMatching(/^[^.]+\. And 11 more; see errors\.$/),
    requestId: 'request-1',
    errors: expect.any(Array),
  });
  const found = answer.body.errors.map(
    ({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`,
  );
  expect(found.sort()).toStrictEqual([
    '/a~1b~0c unknown_field',
    '/cacheControl invalid_value',
    '/contentLength invalid_value',
    '/contentMd5 invalid_value',
    '/contentType required',
    '/expiresIn invalid_value',
    '/key required',
    '/metadata/a b invalid_value',
    '/metadata/album invalid_type',
    '/overwrite invalid_type',
    '/surprise unknown_field',
    '/target invalid_value',
  ]);
});

it('gives the only fault as the detail', async () => {
  const { post } = await createTestApp();
  const { body } = await post({ ...PHOTO, surprise: 1 });
  expect(body.detail).toBe('The field "surprise" is not known; leave it out.');
  expect(body.errors).toStrictEqual([{ pointer: '/surprise', code: 'unknown_field', detail: body.detail }]);
});

it.each([
  ['nothing', ''],
  ['broken JSON', '{"key":'],
  ['JSON with a trailing comma', '{"key":"a",}'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a string', '"users/alice/a"'],
  ['a prototype', '{"__proto__":{"key":"users/alice/a"},"contentType":"image/png","contentLength":1}'],
  ['a constructor prototype', '{"constructor":{"prototype":{"key":"x"}},"contentType":"image/png"}'],
])('refuses a body that is %s', async (_name, body) => {
  const { post } = await createTestApp();
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect(answer.body.code).toBe('invalid_request');
  expect(answer.body).not.toHaveProperty('url');
});

it('refuses bytes that are not UTF-8 instead of replacing them', async () => {
  const { app, issuer } = await createTestApp();
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/uploads',
    headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
    payload: Buffer.from(
      `{"key":"users/alice/\xff.png","contentType":"image/png","contentLength":1}`,
      'latin1',
    ),
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().detail).toBe('The body is not valid UTF-8.');
});

it.each([
  ['both key and filename', { ...PHOTO, filename: 'a.png' }, '/filename', 'conflict'],
  ['a length with a fraction', { ...PHOTO, contentLength: 1.5 }, '/contentLength', 'invalid_type'],
  [
    'a length beyond what numbers count exactly',
    { ...PHOTO, contentLength: 2 ** 53 },
    '/contentLength',
    'invalid_value',
  ],
  ['a length as text', { ...PHOTO, contentLength: '1' }, '/contentLength', 'invalid_type'],
  ['a type without subtype', { ...PHOTO, contentType: 'image' }, '/contentType', 'invalid_value'],
  ['a media range as type', { ...PHOTO, contentType: 'image/*' }, '/contentType', 'invalid_value'],
  ['two types', { ...PHOTO, contentType: 'image/png, text/html' }, '/contentType', 'invalid_value'],
  [
    'a type with a line break',
    { ...PHOTO, contentType: 'image/png\r\nx-oss-object-acl: public-read' },
    '/contentType',
    'invalid_value',
  ],
  [
    'a type with a blank at its end',
    { ...PHOTO, contentType: 'image/png ' },
    '/contentType',
    'invalid_value',
  ],
  ['a type that is not ASCII', { ...PHOTO, contentType: 'image/pñg' }, '/contentType', 'invalid_value'],
  [
    'an MD5 in hex',
    { ...PHOTO, contentMd5: 'd41d8cd98f00b204e9800998ecf8427e' },
    '/contentMd5',
    'invalid_value',
  ],
  [
    'an MD5 whose last bits are not zero',
    { ...PHOTO, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfh==' },
    '/contentMd5',
    'invalid_value',
  ],
  ['empty metadata', { ...PHOTO, metadata: { album: ' ' } }, '/metadata/album', 'invalid_value'],
  [
    'metadata with a line break',
    { ...PHOTO, metadata: { album: 'a\r\nb' } },
    '/metadata/album',
    'invalid_value',
  ],
  ['metadata that is not ASCII', { ...PHOTO, metadata: { album: 'é' } }, '/metadata/album', 'invalid_value'],
  [
    'a metadata name with an underscore',
    { ...PHOTO, metadata: { al_bum: 'a' } },
    '/metadata/al_bum',
    'invalid_value',
  ],
  [
    'one metadata name in two cases',
    { ...PHOTO, metadata: { album: 'a', ALBUM: 'b' } },
    '/metadata/ALBUM',
    'invalid_value',
  ],
  ['metadata as a list', { ...PHOTO, metadata: ['a'] }, '/metadata', 'invalid_type'],
  ['a null key', { ...PHOTO, key: null }, '/key', 'invalid_type'],
  ['an expiry with a fraction', { ...PHOTO, expiresIn: 1.5 }, '/expiresIn', 'invalid_type'],
])('refuses %s', async (_name, body, pointer, code) => {
  const { post } = await createTestApp();
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toStrictEqual([{ pointer, code, detail: expect.stringMatching(/\.$/) }]);
});

it('holds all metadata together to 8 KiB, names and values', async () => {
  const { post } = await createTestApp();
  const room = 8192 - 'x-oss-meta-album'.length;
  const fits = await post({ ...PHOTO, metadata: { album: 'x'.repeat(room) } });
  const over = await post({ ...PHOTO, metadata: { album: 'x'.repeat(room + 1) } });
  expect(fits.status).toBe(201);
  expect(over.body.errors).toStrictEqual([
    {
      pointer: '/metadata',
      code: 'invalid_value',
      detail: 'metadata has 8193 bytes, names (with "x-oss-meta-") and values; at most 8192 are allowed.',
    },
  ]);
});
