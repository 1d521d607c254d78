import { expect, it } from 'vitest';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';

it('lists every fault by JSON pointer', async () => {
  const { post } = await createTestApp();
  const response = await post({
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
  expect(response.status).toBe(400);
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.body).toStrictEqual({
    type: 'urn:oss-presign:problem:invalid_request',
    title: 'The request is not valid',
    status: 400,
    code: 'invalid_request',
    detail: expect.stringMatching(/^[^.]+\. And 11 more; see errors\.$/),
    requestId: 'request-1',
    errors: expect.any(Array),
  });
  const found = response.body.errors.map(
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
  expect(body.detail).toBe('Unknown field "surprise"; leave it out.');
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
])('rejects a body that is %s', async (_name, body) => {
  const { post } = await createTestApp();
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(response.body.code).toBe('invalid_request');
  expect(response.body).not.toHaveProperty('url');
});

it('rejects bytes that are not UTF-8 instead of replacing them', async () => {
  const { app, issuer } = await createTestApp();
  const response = await app.inject({
    method: 'POST',
    url: '/v1/uploads',
    headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
    payload: Buffer.from(
      `{"key":"users/alice/\xff.png","contentType":"image/png","contentLength":1}`,
      'latin1',
    ),
  });
  expect(response.statusCode).toBe(400);
  expect(response.json().detail).toBe('The body is not valid UTF-8.');
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
])('rejects %s', async (_name, body, pointer, code) => {
  const { post } = await createTestApp();
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(response.body.errors).toStrictEqual([{ pointer, code, detail: expect.stringMatching(/\.$/) }]);
});

it('limits all metadata together to 8 KiB, names and values', async () => {
  const { post } = await createTestApp();
  const { key: _, ...photo } = PHOTO;
  const maxLength = 8192 - 'x-oss-meta-album'.length;
  const fits = await post({ ...photo, filename: 'a.png', metadata: { album: 'x'.repeat(maxLength) } });
  const over = await post({ ...PHOTO, metadata: { album: 'x'.repeat(maxLength + 1) } });
  expect(fits.status).toBe(201);
  expect(over.body.errors).toStrictEqual([
    {
      pointer: '/metadata',
      code: 'invalid_value',
      detail: 'metadata has 8193 bytes, names (with "x-oss-meta-") and values; at most 8192 are allowed.',
    },
  ]);
});

it.each([
  ['fileName', 'Unknown field "fileName". Did you mean "filename"?'],
  ['content_type', 'Unknown field "content_type". Did you mean "contentType"?'],
  ['content-length', 'Unknown field "content-length". Did you mean "contentLength"?'],
  ['contentMD5', 'Unknown field "contentMD5". Did you mean "contentMd5"?'],
  ['Key', 'Unknown field "Key". Did you mean "key"?'],
  ['metaData', 'Unknown field "metaData". Did you mean "metadata"?'],
  ['expires_in', 'Unknown field "expires_in". Did you mean "expiresIn"?'],
  ['meta', 'Unknown field "meta". Did you mean "metadata"?'],
  ['name', 'Unknown field "name". Did you mean "filename"?'],
  ['size', 'Unknown field "size". Did you mean "contentLength"?'],
  ['type', 'Unknown field "type". Did you mean "contentType"?'],
  ['md5', 'Unknown field "md5". Did you mean "contentMd5"?'],
  ['toString', 'Unknown field "toString"; leave it out.'],
  ['bucket', 'Unknown field "bucket"; leave it out.'],
  ['名', 'Unknown field "名"; leave it out.'],
  ['\u0000', 'Unknown field "\\u0000"; leave it out.'],
])('suggests the known field for the unknown %j', async (field, detail) => {
  const { post } = await createTestApp();
  const { status, body } = await post({ ...PHOTO, [field]: 'x' });
  expect(status).toBe(400);
  expect(body.errors).toStrictEqual([{ pointer: `/${field}`, code: 'unknown_field', detail }]);
});

const SAMPLE_TYPES = 'contentType must be one media type, such as image/png or text/plain; charset=UTF-8.';
const NO_TYPE =
  'contentType is empty, because the browser does not know the type of the file; send a type that the policy allows, such as application/octet-stream.';
const PERCENT_ENCODE =
  'metadata entry "album" must be printable ASCII; percent-encode it (encodeURIComponent) and decode it when you read it.';
const FILENAME_STAR =
  "contentDisposition must be printable ASCII; write other characters of a file name as in attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf (RFC 6266).";

it.each<[string, object, string]>([
  ['an empty type', { contentType: '' }, NO_TYPE],
  ['a type that is none', { contentType: 'png' }, SAMPLE_TYPES],
  ['a second type in a parameter', { contentType: 'image/png;a=b,text/html' }, SAMPLE_TYPES],
  ['a length as text', { contentLength: '5' }, 'contentLength must be a whole number, not a string.'],
  ['a length with a fraction', { contentLength: 5.5 }, 'contentLength must be a whole number.'],
  ['an expiry as text', { expiresIn: '600' }, 'expiresIn must be a whole number, not a string.'],
  ['an inexact length', { contentLength: 2 ** 60 }, 'contentLength must be at most 9007199254740991.'],
  ['a Chinese metadata value', { metadata: { album: '报告.png' } }, PERCENT_ENCODE],
  ['a Latin-1 metadata value', { metadata: { album: 'Café' } }, PERCENT_ENCODE],
  ['an emoji as a metadata value', { metadata: { album: '😀' } }, PERCENT_ENCODE],
  ['a line break in a metadata value', { metadata: { album: 'a\nb' } }, PERCENT_ENCODE],
  ['a blank metadata value', { metadata: { album: '  ' } }, 'metadata entry "album" must not be blank.'],
  [
    'a metadata value that is a number',
    { metadata: { album: 1 } },
    'metadata entry "album" must be a string.',
  ],
  [
    'a metadata name with an underscore',
    { metadata: { al_bum: 'x' } },
    'metadata entry "al_bum" as a name must be letters, digits or "-", at least one.',
  ],
  ['a Chinese disposition', { contentDisposition: 'attachment; filename="报告.pdf"' }, FILENAME_STAR],
  ['a Latin-1 disposition', { contentDisposition: 'attachment; filename="Café.pdf"' }, FILENAME_STAR],
  ['an empty disposition', { contentDisposition: '' }, 'contentDisposition must not be empty.'],
  [
    'a blank before a header value',
    { cacheControl: ' no-store' },
    'cacheControl must not begin or end with a blank.',
  ],
  ['a Chinese header value', { cacheControl: '不' }, 'cacheControl must be printable ASCII.'],
])('states in one sentence what to change: %s', async (_name, change, detail) => {
  const { post } = await createTestApp();
  const { status, body } = await post({ ...PHOTO, ...change });
  expect(status).toBe(400);
  expect(body.detail).toBe(detail);
  expect(body.errors).toHaveLength(1);
});

it.each<[string, number, string]>([
  ['filename', 1024, 'filename must have at most 1024 characters.'],
  ['contentType', 255, 'contentType must have at most 255 characters.'],
  ['contentMd5', 24, 'contentMd5 must be the base64 of the 16 bytes of an MD5 (RFC 1864).'],
  ['cacheControl', 1024, 'cacheControl must have at most 1024 characters.'],
  ['contentDisposition', 1024, 'contentDisposition must have at most 1024 characters.'],
  ['contentEncoding', 1024, 'contentEncoding must have at most 1024 characters.'],
  ['target', 64, 'target must have at most 64 characters.'],
])('a %s that is too long has no other fault', async (field, maxLength, detail) => {
  const { post } = await createTestApp();
  const { key: _, ...others } = PHOTO;
  const base = field === 'filename' ? others : PHOTO;
  for (const text of ['\u0301', ' ', '"', '/', 'a']) {
    const { status, body } = await post({ ...base, [field]: `\\${text.repeat(maxLength)}` });
    expect(status).toBe(400);
    expect(body.errors).toStrictEqual([{ pointer: `/${field}`, code: 'invalid_value', detail }]);
  }
});

it('a metadata name or value that is too long has no other fault', async () => {
  const { post } = await createTestApp();
  const long = await post({ ...PHOTO, metadata: { album: 'é'.repeat(8193), [`_${'x'.repeat(128)}`]: 'y' } });
  expect(long.body.errors).toStrictEqual([
    {
      pointer: '/metadata/album',
      code: 'invalid_value',
      detail: 'metadata entry "album" must have at most 8192 characters.',
    },
    {
      pointer: `/metadata/_${'x'.repeat(128)}`,
      code: 'invalid_value',
      detail: `metadata entry "_${'x'.repeat(128)}" as a name must have at most 128 characters.`,
    },
  ]);
});

it('accepts as many metadata entries as fit into 8 KiB, and no more', async () => {
  const { post } = await createTestApp();
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [index.toString(36), 'x']));
  const fits = await post({ ...PHOTO, metadata: entries(500) });
  expect([fits.status, fits.body.errors.length]).toStrictEqual([403, 20]);
  expect(fits.body.detail).toMatch(/ And 499 more; see errors\.$/);
  const over = await post({ ...PHOTO, metadata: entries(631) });
  expect(over.body.errors).toStrictEqual([
    {
      pointer: '/metadata',
      code: 'invalid_value',
      detail: 'metadata has 631 entries; at most 630 are allowed.',
    },
  ]);
});

it('lists 20 faults, states how many more there are, and cuts names to 256 characters', async () => {
  const { post } = await createTestApp();
  const fields = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, 1]));
  const wide = await post({ ...PHOTO, ...fields });
  expect(wide.body.errors).toHaveLength(20);
  expect(wide.body.detail).toBe('Unknown field "x0"; leave it out. And 4999 more; see errors.');
  const long = await post({ ...PHOTO, ['n'.repeat(60_000)]: 1, metadata: { ['m'.repeat(4000)]: 1 } });
  expect(JSON.stringify(long.body).length).toBeLessThan(2500);
  expect(long.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toStrictEqual([
    `/metadata/${'m'.repeat(255)}…`,
    `/${'n'.repeat(255)}…`,
  ]);
});
