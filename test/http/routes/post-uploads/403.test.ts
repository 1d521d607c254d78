import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';

it('lists every violation of the rule, with what to change', async () => {
  const { post } = await createTestApp();
  const response = await post({
    key: 'users/bob/page.html',
    contentType: 'text/html',
    contentLength: 1024 ** 2 + 1,
    metadata: { camera: 'x' },
    contentDisposition: 'inline',
    expiresIn: 3601,
    overwrite: true,
  });
  expect(response.status).toBe(403);
  expect(response.body).toStrictEqual({
    type: 'urn:oss-presign:problem:policy_denied',
    title: 'The policy does not allow this request',
    status: 403,
    code: 'policy_denied',
    detail: 'The key must begin with "users/alice/". And 6 more; see errors.',
    requestId: 'request-1',
    errors: [
      { pointer: '/key', code: 'key_outside_prefix', detail: 'The key must begin with "users/alice/".' },
      {
        pointer: '/contentType',
        code: 'content_type_not_allowed',
        detail: expect.stringContaining('image/*, text/plain'),
      },
      {
        pointer: '/contentLength',
        code: 'too_large',
        detail: 'The file has 1048577 bytes; at most 1048576 are allowed.',
      },
      {
        pointer: '/metadata/camera',
        code: 'metadata_not_allowed',
        detail: 'The metadata entry "camera" is not allowed; allowed entries: album.',
      },
      { pointer: '/contentDisposition', code: 'header_not_allowed', detail: expect.any(String) },
      {
        pointer: '/expiresIn',
        code: 'expiry_too_long',
        detail: 'The URL may be valid for at most 3600 seconds.',
      },
      { pointer: '/overwrite', code: 'overwrite_not_allowed', detail: expect.any(String) },
    ],
  });
});

it.each([
  ['no length where one is required', { contentLength: undefined }, {}, 'length_required', '/contentLength'],
  ['a key with a dot segment', { key: 'users/alice/../bob/a.png' }, {}, 'key_not_allowed', '/key'],
  [
    'a key of somebody whose name begins alike',
    { key: 'users/alice2/a.png' },
    {},
    'key_outside_prefix',
    '/key',
  ],
  [
    'SVG, which a browser runs',
    { contentType: 'image/svg+xml' },
    {},
    'content_type_not_allowed',
    '/contentType',
  ],
  ['a caller without the scope', {}, { scope: 'uploads:read' }, 'no_matching_rule', ''],
  ['a subject that is no path segment', {}, { sub: '../bob' }, 'no_matching_rule', ''],
  ['a target that no rule names', { target: 'archive' }, {}, 'no_matching_rule', '/target'],
])('denies %s', async (_name, change, claims, code, pointer) => {
  const { post } = await createTestApp();
  const response = await post({ ...PHOTO, ...change }, claims);
  expect(response.status).toBe(403);
  expect(response.body.errors).toStrictEqual([{ pointer, code, detail: expect.any(String) }]);
});

it('denies an upload without required metadata', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({
      rules: [ownFilesRule({ metadata: { allowed: ['album'], required: ['case'] } })],
    }),
  });
  const response = await post(PHOTO);
  expect(response.body.errors).toStrictEqual([
    {
      pointer: '/metadata/case',
      code: 'metadata_missing',
      detail: 'The metadata entry "case" is required.',
    },
  ]);
});

it.each([
  ['ASCII characters', 'k'.repeat(1012)],
  ['characters of several bytes', '图'.repeat(338)],
  ['combining marks', 'a\u0301\u0323'.repeat(12_000)],
  ['slashes, backslashes and dots', '//..\\'.repeat(10_000)],
  ['halves of surrogate pairs', '\ud83d'.repeat(10_000)],
])('a key that is too long has no other fault: %s', async (_name, text) => {
  const { post } = await createTestApp();
  for (const key of [`users/alice/${text}`, `users/bob/${text}xx`]) {
    const { status, body } = await post({ ...PHOTO, key });
    expect(status).toBe(403);
    expect(body.errors).toStrictEqual([
      {
        pointer: '/key',
        code: 'key_not_allowed',
        detail: `The key is ${Buffer.byteLength(key)} bytes of UTF-8; at most 1023 are allowed.`,
      },
    ]);
  }
});

it('lists 20 of the violations, and states how many more there are', async () => {
  const { post } = await createTestApp();
  const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`n${index}`, 'x']));
  const { status, body } = await post({ ...PHOTO, metadata });
  expect(status).toBe(403);
  expect(body.detail).toBe(
    'The metadata entry "n0" is not allowed; allowed entries: album. And 99 more; see errors.',
  );
  expect(body.errors).toHaveLength(20);
});

it('names the nearest rule, even if a request has hundreds of violations', async () => {
  const { post } = await createTestApp({
    policyYaml: policyWith({
      rules: [
        ownFilesRule({ name: 'more', metadata: { allowed: ['album', 'n0', 'n1', 'n2'] } }),
        ownFilesRule(),
      ],
    }),
  });
  const metadata = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`n${index}`, 'x']));
  const { body } = await post({ ...PHOTO, metadata });
  expect(body.detail).toBe(
    'The metadata entry "n3" is not allowed; allowed entries: album, n0, n1, n2. And 396 more; see errors.',
  );
});
