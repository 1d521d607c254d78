import { expect, it } from 'vitest';
import type { BucketClient, StoredPart } from '../../../../src/storage/object-storage.ts';
import { StorageError } from '../../../../src/storage/storage-error.ts';
import { bucketClientWith } from '../../../support/bucket-client.ts';
import { APP_SERVER, confirmRule, createCompletionApp } from '../../../support/completion-app.ts';
import { now } from '../../../support/fixed-clock.ts';
import {
  assembledObject,
  GRANT_ID,
  grantedMultipart,
  STORED_PARTS,
} from '../../../support/granted-upload.ts';
import { mediaTarget, ownFilesRule } from '../../../support/policies.ts';

const UPLOAD = { key: 'users/alice/photo.png', uploadId: '0004B9894A22E5B1888A1E29F8236E2D' };
const STATE = { transfer: 'multipart', key: UPLOAD.key, contentLength: 250, partSize: 100, partCount: 3 };
const OPERATIONS = ['status', 'complete', 'abort'] as const;
const rule = (fields = {}) => ownFilesRule({ transfers: ['put', 'multipart'], ...fields });

/** The service with a storage that makes these calls; every other one fails the test. */
async function setUp(
  client: Partial<BucketClient>,
  { rules = [rule(), confirmRule()], ...options }: Parameters<typeof createCompletionApp>[0] = {},
) {
  const app = await createCompletionApp({
    rules,
    createClient: () => bucketClientWith(client),
    ...options,
  });
  return {
    ...app,
    id: (fields: Parameters<typeof grantedMultipart>[0] = {}) => app.idOf(grantedMultipart(fields)),
  };
}

const listed = (parts: readonly StoredPart[] | undefined) => ({ listParts: async () => parts });
const stored = { headObject: async () => assembledObject() };
const completed = {
  ...listed(STORED_PARTS),
  completeMultipartUpload: async () => 'completed' as const,
  ...stored,
};

it.each<[string, readonly StoredPart[], readonly number[], readonly (readonly number[])[]]>([
  ['no part', [], [], [[1, 3]]],
  [
    'some parts',
    STORED_PARTS.slice(1, 2),
    [2],
    [
      [1, 1],
      [3, 3],
    ],
  ],
  ['all parts', STORED_PARTS, [1, 2, 3], []],
  [
    'parts of another length, and one that the grant does not have',
    [
      ...STORED_PARTS.slice(0, 2),
      { partNumber: 3, contentLength: 51, etag: 'E' },
      { partNumber: 4, contentLength: 1, etag: 'E' },
    ],
    [1, 2],
    [[3, 3]],
  ],
])('reports an upload under way with %s', async (_title, parts, done, missing) => {
  const { call, id } = await setUp(listed(parts));
  const { status, body, headers } = await call('status', { id: id() });
  expect([status, body]).toStrictEqual([
    200,
    {
      state: 'open',
      ...STATE,
      parts: STORED_PARTS.filter(({ partNumber }) => done.includes(partNumber)),
      missing: missing.map(([from, to]) => ({ from, to })),
    },
  ]);
  expect(headers['cache-control']).toBe('no-store');
});

it('lists the parts for 61 s at most, so that load balancers do not end the request', async () => {
  const deadlines: unknown[] = [];
  const { call, id } = await setUp({
    async listParts(_upload, deadline) {
      deadlines.push(deadline);
      return [];
    },
  });
  await call('status', { id: id() });
  await call('complete', { id: id() });
  expect(deadlines).toStrictEqual(Array(2).fill(new Date(now.getTime() + 61_000)));
});

it('reports what became of an upload that is over', async () => {
  let object: ReturnType<typeof assembledObject> | undefined = assembledObject();
  const { call, id } = await setUp({ ...listed(undefined), headObject: async () => object });
  expect((await call('status', { id: id() })).body).toStrictEqual({ state: 'stored', ...STATE });
  object = undefined;
  expect((await call('status', { id: id() })).body).toStrictEqual({ state: 'absent', ...STATE });
  const complete = await call('complete', { id: id() });
  expect([complete.status, complete.body]).toMatchObject([
    404,
    {
      code: 'upload_absent',
      detail: 'The upload is no longer under way, and its object is not stored; request a new upload.',
    },
  ]);
  object = assembledObject({ objectType: 'normal' });
  for (const operation of ['status', 'complete'] as const) {
    const { status, body } = await call(operation, { id: id() });
    expect([status, body.errors]).toMatchObject([409, [{ pointer: '', code: 'object_type_not_allowed' }]]);
  }
});

it('assembles the parts, and responds with a receipt', async () => {
  const { call, id } = await setUp(completed);
  const { status, body } = await call('complete', { id: id(), crc64: '14078989528371189546' });
  expect([status, body]).toMatchObject([
    200,
    {
      state: 'stored',
      transfer: 'multipart',
      contentLength: 250,
      etag: '3858F62230AC3C915F300C664312C11F-3',
    },
  ]);
  const claims = JSON.parse(Buffer.from(body.receipt.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ sub: 'alice', content_length: 250, jti: GRANT_ID });
});

it('lists the missing parts of an upload that it does not complete, at most 20 ranges', async () => {
  const everyOther = Array.from({ length: 30 }, (_, index) => 2 * index + 2);
  const { call, id } = await setUp(
    listed(everyOther.map((partNumber) => ({ partNumber, contentLength: 100, etag: 'E' }))),
  );
  const { status, body } = await call('complete', { id: id({ contentLength: { min: 6050, max: 6050 } }) });
  expect([status, body]).toStrictEqual([
    409,
    {
      type: 'urn:oss-presign:problem:upload_incomplete',
      title: 'Parts of the upload are missing',
      status: 409,
      code: 'upload_incomplete',
      detail:
        '31 of 61 parts are not stored with the length that was granted; send them, then complete the upload again.',
      requestId: expect.any(String),
      missing: Array.from({ length: 20 }, (_, index) => ({ from: 2 * index + 1, to: 2 * index + 1 })),
    },
  ]);
  const { missing } = (await call('status', { id: id({ contentLength: { min: 6050, max: 6050 } }) })).body;
  expect(missing).toHaveLength(31);
});

it('rejects an upload whose key has another object', async () => {
  const { call, id } = await setUp({
    ...listed(STORED_PARTS),
    completeMultipartUpload: async () => 'object_exists',
    headObject: async () => assembledObject({ metadata: { 'upload-id': 'x' } }),
  });
  const { status, body } = await call('complete', { id: id() });
  expect([status, body]).toStrictEqual([
    409,
    {
      type: 'urn:oss-presign:problem:object_exists',
      title: 'There is another object under this key',
      status: 409,
      code: 'object_exists',
      detail: 'There is another object under this key already; request an upload with another key.',
      requestId: expect.any(String),
    },
  ]);
});

it.each<[boolean, boolean, string]>([
  [false, false, 'true'],
  [true, true, 'false'],
  // The rule stopped to allow it after the grant.
  [true, false, 'true'],
  // The rule began to allow it after the grant.
  [false, true, 'true'],
])(
  'replaces an object only if it was granted (%s) and the rule still allows it (%s)',
  async (granted, allowed, forbid) => {
    const sent: unknown[] = [];
    const { call, id } = await setUp(
      {
        ...completed,
        async completeMultipartUpload(_upload, _parts, headers) {
          sent.push(headers);
          return 'completed';
        },
      },
      { rules: [rule({ overwrite: allowed })] },
    );
    const multipart = { uploadId: UPLOAD.uploadId, partSize: 100, overwrite: granted };
    expect((await call('complete', { id: id({ multipart }) })).status).toBe(200);
    expect(sent).toStrictEqual([forbid === 'true' ? { 'x-oss-forbid-overwrite': 'true' } : {}]);
  },
);

it('lets the server of an app ask and complete, but not abort', async () => {
  const { call, id } = await setUp({ ...completed });
  expect((await call('status', { id: id() }, APP_SERVER)).body.state).toBe('open');
  const { body } = await call('complete', { id: id() }, APP_SERVER);
  const claims = JSON.parse(Buffer.from(body.receipt.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ sub: 'alice', jti: GRANT_ID });
  const abort = await call('abort', { id: id() }, APP_SERVER);
  expect([abort.status, abort.body.code]).toStrictEqual([403, 'upload_id_invalid']);
});

it('aborts an upload, and responds without a body', async () => {
  const aborted: unknown[] = [];
  const { call, id } = await setUp({ abortMultipartUpload: async (upload) => void aborted.push(upload) });
  const response = await call('abort', { id: id() });
  expect([response.status, response.text, response.headers['cache-control']]).toStrictEqual([
    204,
    '',
    'no-store',
  ]);
  expect(response.headers['ratelimit-limit']).toBe('600');
  expect(aborted).toStrictEqual([UPLOAD]);
});

it('aborts no upload of another transfer, and counts it as an invalid request only', async () => {
  const { call, idOf, audits, completions } = await setUp({});
  const response = await call('abort', { id: idOf() });
  expect([response.status, response.body]).toMatchObject([
    400,
    {
      code: 'invalid_request',
      errors: [
        {
          pointer: '/id',
          code: 'conflict',
          detail: 'id is that of an upload with the transfer put; send the id of a multipart upload.',
        },
      ],
    },
  ]);
  expect([audits(), completions]).toStrictEqual([[], []]);
  // The transfer of an upload that the caller may not use is not disclosed.
  expect((await call('abort', { id: idOf() }, { sub: 'bob' })).status).toBe(403);
});

it.each<[unknown, string, string]>([
  [{}, '/id', 'required'],
  [{ id: 1 }, '/id', 'invalid_type'],
  [{ id: '' }, '/id', 'invalid_value'],
  [{ id: 'x'.repeat(3073) }, '/id', 'invalid_value'],
  [{ id: 'x', crc64: '1' }, '/crc64', 'unknown_field'],
  [{ uploadId: 'x' }, '/uploadId', 'unknown_field'],
])('rejects the abort %j', async (body, pointer, code) => {
  const { call } = await setUp({});
  const response = await call('abort', body);
  expect([response.status, response.body.errors]).toMatchObject([
    400,
    expect.arrayContaining([expect.objectContaining({ pointer, code })]),
  ]);
});

const REVOKED: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  'rule is gone': [rule({ name: 'renamed' })],
  'rule has no multipart uploads any more': [rule({ transfers: ['put'] })],
  'rule names another target': [rule({ target: 'other' })],
  'prefix does not begin the key any more': [rule({ prefix: 'files/{sub}/' })],
};

it.each(Object.keys(REVOKED))('calls the storage for no upload whose %s', async (title) => {
  const { call, id, audits } = await setUp(
    {},
    {
      rules: REVOKED[title] ?? [],
      targets: { media: mediaTarget(), other: mediaTarget({ bucket: 'acme-other' }) },
    },
  );
  for (const operation of OPERATIONS) {
    const { status, body } = await call(operation, { id: id() });
    expect([status, body.code]).toStrictEqual([403, 'upload_id_invalid']);
  }
  expect(audits()).toHaveLength(3);
});

it('calls the storage for no forged or expired id, and for none of another caller', async () => {
  const { call, id } = await setUp({});
  for (const operation of OPERATIONS) {
    const responses = [
      await call(operation, { id: `${id().slice(0, -3)}AAA` }),
      await call(operation, { id: id() }, { sub: 'bob' }),
      await call(operation, { id: id({ issuedAt: 1, expiresAt: 2 }) }),
    ];
    expect(responses.map(({ status }) => status)).toStrictEqual([403, 403, 410]);
  }
});

it('shares one limit between all calls about uploads', async () => {
  const { call, id, completions } = await setUp(
    { ...completed, abortMultipartUpload: async () => {} },
    { rules: [rule({ limits: { requestsPerMinute: 1 } })] },
  );
  const remaining = [];
  for (const operation of [...OPERATIONS, ...OPERATIONS, ...OPERATIONS, 'status', 'abort'] as const)
    remaining.push(await call(operation, { id: id() }));
  expect(remaining.map(({ headers }) => headers['ratelimit-remaining'])).toStrictEqual([
    '9',
    '8',
    '7',
    '6',
    '5',
    '4',
    '3',
    '2',
    '1',
    '0',
    '0',
  ]);
  expect(remaining.at(-1)?.status).toBe(429);
  expect(completions).toHaveLength(10);
});

const ALICE = { issuer: 'https://login.test/', subject: 'alice' };
const OBJECT = {
  grantId: GRANT_ID,
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  key: UPLOAD.key,
};
const busy = async () => {
  throw new StorageError('busy', 'OSS responded with 503', { status: 503 });
};

it.each<[(typeof OPERATIONS)[number], Partial<BucketClient>, string, number, readonly string[]]>([
  ['status', listed(STORED_PARTS), 'open', 200, []],
  ['status', { ...listed(undefined), ...stored }, 'stored', 200, []],
  ['status', { listParts: busy }, 'error', 503, ['unavailable']],
  ['complete', completed, 'stored', 200, []],
  ['complete', listed([]), 'incomplete', 409, []],
  [
    'complete',
    {
      ...completed,
      completeMultipartUpload: async () => 'object_exists',
      headObject: async () => assembledObject({ metadata: { 'upload-id': 'x' } }),
    },
    'exists',
    409,
    [],
  ],
  ['complete', { ...completed, headObject: busy }, 'error', 503, ['unavailable']],
  ['abort', { abortMultipartUpload: async () => {} }, 'aborted', 204, []],
  ['abort', { abortMultipartUpload: busy }, 'error', 503, ['unavailable']],
])('logs and counts %s that ends as %#', async (operation, client, outcome, status, reasons) => {
  const { call, id, audits, completions, log } = await setUp(client);
  const uploadId = id();
  const response = await call(operation, { id: uploadId });
  expect(response.status).toBe(status);
  if (status === 503) expect(response.headers['retry-after']).toBe('1');
  expect(audits()).toStrictEqual([
    [
      `${operation} ${outcome}`,
      status,
      {
        operation,
        outcome,
        reasons,
        ...ALICE,
        ...OBJECT,
        ...(outcome === 'stored' && { contentLength: 250 }),
      },
    ],
  ]);
  expect(completions).toStrictEqual([{ outcome, rule: 'own-files' }]);
  for (const secret of [uploadId, uploadId.split('.')[1], UPLOAD.uploadId])
    expect(log.join('')).not.toContain(secret);
});

it('assembles nothing while audit lines cannot be written, but reports and aborts', async () => {
  const { call, id } = await setUp(
    { ...listed(STORED_PARTS), abortMultipartUpload: async () => {} },
    { auditGate: { isOpen: () => false, written: async () => false } },
  );
  expect((await call('complete', { id: id() })).status).toBe(503);
  expect((await call('status', { id: id() })).status).toBe(200);
  expect((await call('abort', { id: id() })).status).toBe(204);
});

it('reports 10,000 parts', async () => {
  const parts = Array.from({ length: 10_000 }, (_, index) => ({
    partNumber: index + 1,
    contentLength: 100,
    etag: `E${index}`,
  }));
  const { call, id } = await setUp(listed(parts));
  const { body } = await call('status', { id: id({ contentLength: { min: 1_000_000, max: 1_000_000 } }) });
  expect(body.parts).toStrictEqual(parts);
  expect(body.missing).toStrictEqual([]);
});
