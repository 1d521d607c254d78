import { describe, expect, it } from 'vitest';
import { attributeDigests } from '../../../../src/grants/attribute-digests.ts';
import type { Decided } from '../../../../src/grants/ports/observer.ts';
import { openUploadId } from '../../../../src/grants/upload-id.ts';
import type { BucketClient, MultipartUpload } from '../../../../src/storage/object-storage.ts';
import { StorageError } from '../../../../src/storage/storage-error.ts';
import { bucketClientWith } from '../../../support/bucket-client.ts';
import { now } from '../../../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { createTestApp, GRANT_ID } from '../../../support/test-app.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const UPLOAD_ID = '0004B9894A22E5B1888A1E29F8236E2D';
const FILM = {
  key: 'users/alice/film.png',
  contentType: 'image/png',
  contentLength: 6 * GIB,
  transfer: 'multipart',
};
const { key: _, ...WITHOUT_KEY } = FILM;
const keys = serviceKeysOf('first');

type Fields = Readonly<Record<string, unknown>>;
type Initiated = { readonly key: string; readonly headers: Readonly<Record<string, string>> };

/** The app with a rule for uploads in parts, and a storage that begins or aborts them like this. */
async function setUp(
  fields: Fields = {},
  {
    initiate = async (key) => ({ key, uploadId: UPLOAD_ID }),
    abort = async () => {},
    ...dependencies
  }: Parameters<typeof createTestApp>[0] & {
    readonly initiate?: BucketClient['initiateMultipartUpload'];
    readonly abort?: BucketClient['abortMultipartUpload'];
  } = {},
) {
  const initiated: Initiated[] = [];
  const aborted: MultipartUpload[] = [];
  const decided: Decided[] = [];
  const app = await createTestApp({
    policyYaml: policyWith({
      rules: [ownFilesRule({ transfers: ['put', 'multipart'], maxSize: '1TiB', ...fields })],
    }),
    serviceKeys: { current: () => keys, isShared: true },
    createClient: () =>
      bucketClientWith({
        initiateMultipartUpload(key, headers) {
          initiated.push({ key, headers });
          return initiate(key, headers);
        },
        abortMultipartUpload(upload) {
          aborted.push(upload);
          return abort(upload);
        },
      }),
    observer: {
      responded: () => {},
      decided: (decision) => void decided.push(decision),
      completed: () => {},
      decidedKeys: () => {},
      rejected: () => {},
    },
    ...dependencies,
  });
  const auditOf = () => app.log.map((line) => JSON.parse(line).audit).filter((audit) => audit !== undefined);
  return { ...app, initiated, aborted, decided, auditOf };
}

describe('a grant of a multipart upload', () => {
  it('has the parts and the id, and neither a URL nor headers', async () => {
    const { post, decided, auditOf, log } = await setUp();
    const response = await post(FILM);
    expect([response.status, response.headers['cache-control']]).toStrictEqual([201, 'no-store']);
    const { id, ...rest } = response.body;
    expect(rest).toStrictEqual({
      transfer: 'multipart',
      partSize: 8 * MIB,
      partCount: 768,
      idExpiresAt: '2026-11-30T10:00:00Z',
      key: 'users/alice/film.png',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      target: 'media',
      contentLength: 6 * GIB,
      expires: 604_800,
      expiresAt: '2026-11-30T10:00:00Z',
      expiresLimitedBy: 'rule',
      serverTime: '2026-11-23T10:00:00Z',
    });
    const issuedAt = now.getTime() / 1000;
    expect(openUploadId(keys, id)).toStrictEqual({
      grantId: GRANT_ID,
      transfer: 'multipart',
      rule: 'own-files',
      target: 'media',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      key: 'users/alice/film.png',
      isMarked: true,
      contentLength: { min: 6 * GIB, max: 6 * GIB },
      contentType: 'image/png',
      contentMd5: undefined,
      attributes: attributeDigests({
        metadata: {},
        cacheControl: undefined,
        contentDisposition: 'attachment',
        contentEncoding: undefined,
        expires: undefined,
      }),
      multipart: { uploadId: UPLOAD_ID, partSize: 8 * MIB, overwrite: false },
      caller: { issuer: 'https://login.test/', subject: 'alice' },
      issuedAt,
      expiresAt: issuedAt + 604_800,
    });
    expect(auditOf()).toStrictEqual([
      {
        operation: 'upload',
        outcome: 'granted',
        reasons: [],
        issuer: 'https://login.test/',
        subject: 'alice',
        grantId: GRANT_ID,
        rule: 'own-files',
        target: 'media',
        bucket: 'acme-media',
        key: 'users/alice/film.png',
        transfer: 'multipart',
        contentType: 'image/png',
        contentLength: 6 * GIB,
        expiresAt: '2026-11-30T10:00:00Z',
      },
    ]);
    expect(log.join('')).not.toContain(UPLOAD_ID);
    expect(decided).toStrictEqual([{ outcome: 'granted', rule: 'own-files', reasons: [] }]);
  });

  it('begins the upload with everything that describes the object, and the mark of the grant', async () => {
    const { post, initiated } = await setUp({
      overwrite: true,
      keepFilename: true,
      headers: {
        'x-oss-storage-class': 'IA',
        'x-oss-object-acl': 'private',
        'x-oss-traffic-limit': '819200',
        'x-oss-meta-team': 'web',
      },
    });
    const request = { ...FILM, metadata: { Album: ' 42 ' }, cacheControl: 'no-store' };
    const described = {
      'Content-Type': 'image/png',
      'Cache-Control': 'no-store',
      'x-oss-meta-album': '42',
      'x-oss-meta-team': 'web',
      'x-oss-storage-class': 'IA',
    };
    expect((await post(request)).status).toBe(201);
    expect((await post({ ...request, overwrite: true })).status).toBe(201);
    const { key: _key, ...unnamed } = request;
    const named = await post({ ...unnamed, filename: '报告.png' });
    expect(named.body.key).toBe(`users/alice/${GRANT_ID}.png`);
    const marked = { ...described, 'Content-Disposition': 'attachment', 'x-oss-meta-upload-id': GRANT_ID };
    expect(initiated).toStrictEqual([
      { key: FILM.key, headers: { ...marked, 'x-oss-forbid-overwrite': 'true' } },
      { key: FILM.key, headers: marked },
      {
        key: `users/alice/${GRANT_ID}.png`,
        headers: {
          ...described,
          'Content-Disposition': expect.stringContaining('%E6%8A%A5%E5%91%8A.png'),
          'x-oss-forbid-overwrite': 'true',
        },
      },
    ]);
  });

  it('remembers whether the object may replace another', async () => {
    const { post } = await setUp({ overwrite: true });
    for (const overwrite of [false, true]) {
      const { body } = await post({ ...FILM, overwrite });
      expect(openUploadId(keys, body.id)?.multipart?.overwrite).toBe(overwrite);
    }
  });

  it.each<[string, Fields, Fields, number, number]>([
    ['the size of the rule', { partSize: '64MiB' }, {}, 64 * MIB, 96],
    ['the requested size', { partSize: '64MiB' }, { partSize: 1_000_000 }, 1_000_000, 6443],
    ['the size of the rule in place of a size that no part can have', {}, { partSize: 1 }, 8 * MIB, 768],
    ['a larger size where 10,000 parts are too few', {}, { partSize: 102_400 }, MIB, 6144],
    ['a part size above the length', {}, { contentLength: 1 }, 8 * MIB, 1],
  ])('has %s', async (_title, fields, change, partSize, partCount) => {
    const { post } = await setUp(fields);
    const { body } = await post({ ...FILM, ...change });
    expect(body).toMatchObject({ partSize, partCount });
    expect(openUploadId(keys, body.id)?.multipart?.partSize).toBe(partSize);
  });

  it('lasts as long as the rule allows, whatever the credentials do', async () => {
    const expiring = {
      accessKeyId: 'STS.key',
      accessKeySecret: 'secret',
      securityToken: 'token',
      expiresAt: new Date(now.getTime() + 60_000),
    };
    const { post } = await setUp({ uploadExpiresIn: '1d' }, { credentials: { get: async () => expiring } });
    expect((await post(FILM)).body).toMatchObject({
      expires: 86_400,
      expiresAt: '2026-11-24T10:00:00Z',
      idExpiresAt: '2026-11-24T10:00:00Z',
      expiresLimitedBy: 'rule',
    });
  });

  it('counts the whole length against the limits, and begins nothing beyond them', async () => {
    const { post, initiated, auditOf } = await setUp({ limits: { bytesPerDay: '10GiB' } });
    const statuses = [(await post(FILM)).status, (await post(FILM)).status];
    expect([statuses, initiated.length]).toStrictEqual([[201, 429], 1]);
    expect(auditOf()[1]).toMatchObject({ outcome: 'limited', transfer: 'multipart', expiresAt: null });
  });
});

describe('a multipart upload that the storage does not begin', () => {
  it('gets 409 if another object has the key', async () => {
    const { post, auditOf, decided } = await setUp({}, { initiate: async () => 'object_exists' });
    const { status, body } = await post(FILM);
    expect([status, body.code]).toStrictEqual([409, 'object_exists']);
    expect(auditOf()).toMatchObject([
      {
        outcome: 'exists',
        reasons: ['object_exists'],
        grantId: GRANT_ID,
        rule: 'own-files',
        target: 'media',
        bucket: 'acme-media',
        key: FILM.key,
        expiresAt: null,
      },
    ]);
    expect(decided).toStrictEqual([{ outcome: 'exists', rule: 'own-files', reasons: ['object_exists'] }]);
  });

  it.each([
    ['busy', 503, 'unavailable'],
    ['unreachable', 503, 'unavailable'],
    ['denied', 502, 'storage_error'],
    ['invalid_response', 502, 'storage_error'],
  ] as const)('gets the status of a storage that is %s', async (kind, expected, code) => {
    const initiate = () => Promise.reject(new StorageError(kind, 'it failed', { code: 'AccessDenied' }));
    const { post, auditOf, decided, log } = await setUp({}, { initiate });
    const { status, headers, body } = await post(FILM);
    expect([status, body.code]).toStrictEqual([expected, code]);
    expect(headers['retry-after'] !== undefined).toBe(expected === 503);
    expect(auditOf()).toMatchObject([{ outcome: 'error', reasons: [code], key: FILM.key }]);
    expect(decided).toMatchObject([{ outcome: 'error', reasons: [code] }]);
    expect(log.join('')).toContain('AccessDenied');
  });

  it.each(['F'.repeat(256), 'F'.repeat(2000)])(
    'is aborted if the multipart upload ID does not fit into an upload id',
    async (uploadId) => {
      const initiate = async (key: string) => ({ key, uploadId });
      for (const abort of [async () => {}, () => Promise.reject(new Error('it failed'))]) {
        const { post, aborted, auditOf, log } = await setUp({}, { initiate, abort });
        const { status, body } = await post(FILM);
        expect([status, body.code]).toStrictEqual([502, 'storage_error']);
        expect(aborted).toStrictEqual([{ key: FILM.key, uploadId }]);
        expect(auditOf()).toMatchObject([{ outcome: 'error' }]);
        expect(log.join('')).not.toContain(uploadId);
      }
    },
  );

  it('is aborted if the service itself fails', async () => {
    const broken = {
      ...keys,
      signing: {
        ...keys.signing,
        uploadIdMac: () => {
          throw new Error('a bug');
        },
      },
    };
    const { post, aborted } = await setUp({}, { serviceKeys: { current: () => broken, isShared: true } });
    expect([(await post(FILM)).status, aborted.length]).toStrictEqual([500, 1]);
  });
});

describe('audit lines', () => {
  it('must be writable before the storage is called, and written before the grant is sent', async () => {
    const closed = { isOpen: () => false, written: async () => true };
    const before = await setUp({}, { auditGate: closed });
    expect([(await before.post(FILM)).status, before.initiated]).toStrictEqual([503, []]);
    const failing = { isOpen: () => true, written: async () => false };
    const after = await setUp({}, { auditGate: failing });
    const { status, body } = await after.post(FILM);
    expect([status, body.id, after.initiated.length]).toStrictEqual([503, undefined, 1]);
  });
});

describe('rejects', () => {
  const LENGTH = 'A multipart upload needs the exact contentLength in bytes, at least 1.';
  const PART_SIZE = 'partSize is for "transfer": "multipart" only; leave it out.';
  const { contentLength: _length, ...WITHOUT_LENGTH } = FILM;

  it.each<[string, Fields, string, string, string]>([
    ['no length', WITHOUT_LENGTH, '/contentLength', 'required', LENGTH],
    ['an empty file', { ...FILM, contentLength: 0 }, '/contentLength', 'invalid_value', LENGTH],
    [
      'a negative length',
      { ...FILM, contentLength: -1 },
      '/contentLength',
      'invalid_value',
      'contentLength must not be negative.',
    ],
    [
      'an MD5 of the whole',
      { ...FILM, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
      '/contentMd5',
      'conflict',
      'OSS binds the MD5 of each part, not of the whole; leave contentMd5 out here, and send the MD5s of parts with POST /v1/uploads/parts.',
    ],
    [
      'an expiry',
      { ...FILM, expiresIn: 60 },
      '/expiresIn',
      'conflict',
      'The URLs of parts are signed later, and are valid as long as the rule allows; leave expiresIn out.',
    ],
    [
      'a greatest length',
      { ...FILM, maxContentLength: 1 },
      '/maxContentLength',
      'conflict',
      'maxContentLength is for "transfer": "form" only; send the exact contentLength.',
    ],
    [
      'a part size of 0',
      { ...FILM, partSize: 0 },
      '/partSize',
      'invalid_value',
      'partSize must be at least 1.',
    ],
    [
      'half a byte',
      { ...FILM, partSize: 102_400.5 },
      '/partSize',
      'invalid_type',
      'partSize must be a whole number.',
    ],
    [
      'a part size as text',
      { ...FILM, partSize: '8MiB' },
      '/partSize',
      'invalid_type',
      'partSize must be a whole number, not a string.',
    ],
    ['a part size for a PUT', { ...FILM, transfer: 'put', partSize: 1 }, '/partSize', 'conflict', PART_SIZE],
    [
      'a part size for a form',
      { ...FILM, transfer: 'form', partSize: 1 },
      '/partSize',
      'conflict',
      PART_SIZE,
    ],
  ])('%s', async (_name, request, pointer, code, detail) => {
    const { post, initiated } = await setUp();
    const { status, body } = await post(request);
    expect([status, body.errors, initiated]).toStrictEqual([400, [{ pointer, code, detail }], []]);
  });

  it('every fault of a multipart upload at once', async () => {
    const { post } = await setUp();
    const { body } = await post({
      ...WITHOUT_LENGTH,
      ...{ maxContentLength: 1, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==', expiresIn: 1 },
    });
    expect(body.errors.map(({ pointer }: { readonly pointer: string }) => pointer)).toStrictEqual([
      '/contentLength',
      '/maxContentLength',
      '/contentMd5',
      '/expiresIn',
    ]);
  });

  it('an Idempotency-Key, because each request begins an upload', async () => {
    const { http, issuer, initiated } = await setUp();
    const { status, body } = await http
      .post('/v1/uploads')
      .set('authorization', `Bearer ${await issuer.sign()}`)
      .set('idempotency-key', 'attempt-1')
      .send({ ...WITHOUT_KEY, filename: 'film.png' });
    const detail =
      'The header Idempotency-Key is not for multipart uploads, because each request begins a new one in the bucket. Leave the header out.';
    expect([status, body.errors, initiated]).toStrictEqual([
      400,
      [{ pointer: '/transfer', code: 'conflict', detail }],
      [],
    ]);
  });

  it.each<[string, Fields, Fields, string, string]>([
    [
      'a rule without it',
      { transfers: ['put'], maxSize: '5GiB' },
      { contentLength: 1 },
      '/transfer',
      'transfer_not_allowed',
    ],
    ['a file above the rule', { maxSize: '5GiB' }, {}, '/contentLength', 'too_large'],
    ['the folder of another caller', {}, { key: 'users/bob/a.png' }, '/key', 'key_outside_prefix'],
    ['another type', {}, { contentType: 'text/html' }, '/contentType', 'content_type_not_allowed'],
    ['overwriting', {}, { overwrite: true }, '/overwrite', 'overwrite_not_allowed'],
    ['metadata', {}, { metadata: { b: '1' } }, '/metadata/b', 'metadata_not_allowed'],
    ['a header', {}, { contentEncoding: 'gzip' }, '/contentEncoding', 'header_not_allowed'],
  ])('by the policy: %s', async (_name, fields, change, pointer, code) => {
    const { post, initiated, decided } = await setUp(fields);
    const { status, body } = await post({ ...FILM, ...change });
    expect([status, body.errors, initiated]).toMatchObject([403, [{ pointer, code }], []]);
    expect(decided).toStrictEqual([{ outcome: 'denied', rule: 'own-files', reasons: [code] }]);
  });

  it('a PUT above 5 GiB, and names the transfer that allows it', async () => {
    const { post } = await setUp();
    const { status, body } = await post({ ...FILM, transfer: 'put' });
    expect([status, body.errors[0].detail]).toStrictEqual([
      403,
      'The file has 6442450944 bytes; at most 5368709120 fit into one request; send "transfer": "multipart".',
    ]);
  });
});
