import { describe, expect, it } from 'vitest';
import type { LimitedUpload } from '../../../../src/grants/ports/limiter.ts';
import type { ServiceKeys } from '../../../../src/grants/ports/service-keys.ts';
import { type GrantedUpload, sealUploadId } from '../../../../src/grants/upload-id.ts';
import { createDenialLimiter } from '../../../../src/limits/denial-limiter.ts';
import { StorageError } from '../../../../src/storage/storage-error.ts';
import { APP_SERVER, confirmRule, createCompletionApp } from '../../../support/completion-app.ts';
import { fixedClock, now } from '../../../support/fixed-clock.ts';
import { GRANT_ID, grantedUpload, storedObject } from '../../../support/granted-upload.ts';
import { mediaTarget, ownFilesRule } from '../../../support/policies.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';

const OPERATIONS = ['status', 'complete'] as const;

const INVALID = {
  type: 'urn:oss-presign:problem:upload_id_invalid',
  title: 'The upload id cannot be used',
  status: 403,
  code: 'upload_id_invalid',
  detail:
    'The id is not one of this caller’s uploads, or the policy no longer covers it; send the id of the grant with a token of its caller, or request a new upload.',
};

type Change = {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly granted?: Partial<GrantedUpload>;
  readonly rules?: readonly Readonly<Record<string, unknown>>[];
  readonly targets?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Changes the id that the service made. */
  readonly forge?: (id: string) => string;
  readonly sealedWith?: ServiceKeys;
};

const replaceAt = (text: string, index: number, by: string) =>
  `${text.slice(0, index)}${by}${text.slice(index + by.length)}`;

it.each<[string, Change]>([
  ['no id of any service', { forge: () => 'x' }],
  ['an id without its MAC', { forge: (id) => id.split('.')[0] ?? '' }],
  ['an id with the MAC of another one', { forge: (id) => replaceAt(id, id.length - 9, 'AAAAA') }],
  ['an id with another payload', { forge: (id) => replaceAt(id, 60, id[60] === 'A' ? 'B' : 'A') }],
  ['an id with a suffix', { forge: (id) => `${id}A` }],
  ['an id of other service keys', { sealedWith: serviceKeysOf('test-key') }],
  ['an id of a service key that is gone', { sealedWith: serviceKeysOf('removed') }],
  ['the id of another caller', { claims: { sub: 'bob' } }],
  [
    'the id of a caller of another issuer',
    { granted: { caller: { issuer: 'https://a.test/', subject: 'alice' } } },
  ],
  [
    'the id of another caller below the own prefix',
    { granted: { caller: { issuer: 'https://login.test/', subject: 'bob' } } },
  ],
  ['an id without the scope of its rule', { claims: { scope: 'other' } }],
  ['an id whose rule is gone', { granted: { rule: 'removed' } }],
  ['an id whose rule has no uploads any more', { rules: [confirmRule({ name: 'own-files' })] }],
  ['an id whose rule has no receipts any more', { rules: [ownFilesRule({ receipts: false })] }],
  ['an id whose rule has another prefix', { rules: [ownFilesRule({ prefix: 'people/{sub}/' })] }],
  ['an id whose target has another bucket', { targets: { media: mediaTarget({ bucket: 'acme-other' }) } }],
  ['an id whose target has another region', { targets: { media: mediaTarget({ region: 'cn-beijing' }) } }],
  [
    'an id whose rule has another target',
    { rules: [ownFilesRule({ target: 'copy' })], targets: { copy: mediaTarget() } },
  ],
  [
    'the app server an id outside its prefix',
    { claims: APP_SERVER, rules: [ownFilesRule(), confirmRule({ prefix: 'logs/' })] },
  ],
  ['an app server without a confirm rule', { claims: { ...APP_SERVER, scope: 'uploads:write' } }],
  ['an expired id of another caller', { claims: { sub: 'bob' }, granted: { issuedAt: 1, expiresAt: 2 } }],
])(
  'rejects %s with one text, without a call to the storage or a count of the limit',
  async (_title, change) => {
    const { claims, granted, rules, targets, forge = (id) => id, sealedWith } = change;
    const keys = serviceKeysOf('test-key');
    const id = forge(sealUploadId((sealedWith ?? keys).signing, grantedUpload(granted)));
    let counted = 0;
    const { call, heads } = await createCompletionApp({
      keys,
      ...(rules && { rules }),
      ...(targets && { targets }),
      limiter: { consume: () => void counted++ },
    });
    for (const operation of OPERATIONS) {
      const { requestId: _, ...problem } = (await call(operation, { id }, claims)).body;
      expect(problem).toStrictEqual(INVALID);
    }
    expect([heads, counted]).toStrictEqual([[], 0]);
  },
);

describe.each(OPERATIONS)('%s', (operation) => {
  it('counts an id that cannot be used as a denied request', async () => {
    const denials = createDenialLimiter({ nowMs: () => 0, denialsPerMinute: 2 });
    const { call, idOf } = await createCompletionApp({ denials });
    const statuses = [];
    for (const id of ['x', 'y', idOf()]) statuses.push((await call(operation, { id })).status);
    expect(statuses).toStrictEqual([403, 403, 429]);
  });

  it.each([
    ['at its end', 0, 410],
    ['one second before its end', -1, 200],
  ])('responds by the clock to an id %s', async (_title, seconds, status) => {
    const { call, idOf, heads } = await createCompletionApp();
    const expiresAt = now.getTime() / 1000 - seconds;
    const response = await call(operation, { id: idOf({ issuedAt: expiresAt - 60, expiresAt }) });
    expect(response.status).toBe(status);
    if (status !== 410) return;
    expect(response.body).toMatchObject({
      code: 'upload_id_expired',
      detail: 'The id has expired; request a new upload.',
    });
    expect(heads).toStrictEqual([]);
  });

  it('names what differs, and issues no receipt', async () => {
    const head = async () => storedObject({ contentLength: 6, cacheControl: 'public' });
    const { call, idOf } = await createCompletionApp({ head });
    const response = await call(operation, { id: idOf() });
    expect(response.status).toBe(409);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.body).toStrictEqual({
      type: 'urn:oss-presign:problem:upload_mismatch',
      title: 'The object differs from its grant',
      status: 409,
      code: 'upload_mismatch',
      detail: 'The object does not have the length that was granted. And 1 more; see errors.',
      requestId: expect.any(String),
      errors: [
        {
          pointer: '/contentLength',
          code: 'content_length_mismatch',
          detail: 'The object does not have the length that was granted.',
        },
        {
          pointer: '/cacheControl',
          code: 'header_mismatch',
          detail: 'The Cache-Control of the object differs from what was granted.',
        },
      ],
    });
  });

  it.each([
    ['busy', 503, 'unavailable'],
    ['unreachable', 503, 'unavailable'],
    ['denied', 502, 'storage_error'],
    ['invalid_response', 502, 'storage_error'],
  ] as const)('reports a storage that is %s', async (kind, status, code) => {
    const head = async () => {
      throw new StorageError(kind, 'oss.test responded with 403', {
        status: 403,
        code: 'AccessDenied',
        ec: '0003',
      });
    };
    const { call, idOf, log } = await createCompletionApp({ head });
    const response = await call(operation, { id: idOf() });
    expect([response.status, response.body.code]).toStrictEqual([status, code]);
    expect(response.headers['retry-after'] !== undefined).toBe(status === 503);
    expect(response.text).not.toMatch(/AccessDenied|oss\.test|0003/);
    const lines = log.map((line) => JSON.parse(line));
    expect(lines.find((line) => line.audit)).toMatchObject({
      ...{ status, msg: `${operation} error` },
      audit: {
        operation,
        outcome: 'error',
        reasons: [code],
        grantId: GRANT_ID,
        key: 'users/alice/photo.png',
      },
    });
    expect(lines.find((line) => line.level === 'error')).toMatchObject({
      ...{ code, storageFailure: kind, storageStatus: '403', storageCode: 'AccessDenied', storageEc: '0003' },
    });
  });

  it('reports a bug as such', async () => {
    const { call, idOf } = await createCompletionApp({ head: () => Promise.reject(new TypeError('a bug')) });
    expect((await call(operation, { id: idOf() })).body).toMatchObject({ status: 500, code: 'internal' });
  });

  it('responds 503 where replicas cannot open the ids of each other, and the log has the reason', async () => {
    const { call, idOf, log, heads } = await createCompletionApp({ canContinueUploads: false });
    expect((await call(operation, { id: '' })).status).toBe(400);
    const response = await call(operation, { id: idOf() });
    expect([response.status, response.body.code, response.headers['retry-after']]).toStrictEqual([
      ...[503, 'unavailable', '60'],
    ]);
    expect(heads).toStrictEqual([]);
    expect(response.text).not.toContain('SERVICE_KEYS_FILE');
    expect(log.join('')).toContain('REDIS_URL is set without SERVICE_KEYS_FILE');
  });

  it('checks the body before the id', async () => {
    const { call, idOf, heads } = await createCompletionApp();
    const response = await call(operation, { id: idOf(), extra: 1 });
    expect(response.body).toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/extra', code: 'unknown_field' }],
    });
    expect(heads).toStrictEqual([]);
    expect((await call(operation, '{')).status).toBe(400);
    expect((await call(operation, `{"id":"${'x'.repeat(65_536)}"}`)).status).toBe(413);
  });

  it.each([
    ['600 calls per minute without requestsPerMinute', {}, 600],
    ['10 calls for each request per minute', { limits: { requestsPerMinute: 3 } }, 30],
  ])('allows a caller %s, and states what is left', async (_title, fields, limit) => {
    const { call, idOf } = await createCompletionApp({ rules: [ownFilesRule(fields)] });
    const id = idOf();
    const response = await call(operation, { id });
    expect(response.headers).toMatchObject({
      'ratelimit-limit': String(limit),
      'ratelimit-remaining': String(limit - 1),
      'ratelimit-reset': '60',
    });
  });

  it('stops at the limit, before the storage is asked', async () => {
    const { call, idOf, heads } = await createCompletionApp({
      rules: [ownFilesRule({ limits: { requestsPerMinute: 1 } }), confirmRule()],
    });
    const id = idOf();
    const responses = await Promise.all(Array.from({ length: 12 }, () => call(operation, { id })));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(10);
    const rejected = responses.find(({ status }) => status === 429);
    expect(rejected?.body).toMatchObject({
      code: 'rate_limited',
      detail: 'The limit of 10 calls about uploads per minute is reached; try again in 60 seconds.',
      retryAfter: 60,
    });
    expect(rejected?.headers).toMatchObject({ 'ratelimit-limit': '10', 'ratelimit-remaining': '0' });
    expect(heads).toHaveLength(10);
    // The limit of a confirming caller is that of its own rule, and so is its count.
    expect((await call(operation, { id }, APP_SERVER)).headers['ratelimit-limit']).toBe('600');
  });
});

it('counts a call for the caller that makes it, under the rule that allows it', async () => {
  const counted: LimitedUpload[] = [];
  const { call, idOf } = await createCompletionApp({
    rules: [ownFilesRule(), confirmRule({ limits: { requestsPerMinute: 50 } })],
    limiter: {
      consume(upload) {
        counted.push(upload);
        return undefined;
      },
    },
  });
  await call('complete', { id: idOf() });
  await call('complete', { id: idOf() }, APP_SERVER);
  const common = { issuer: 'https://login.test/', bytes: 0 };
  expect(counted).toStrictEqual([
    { ...common, rule: 'own-files', subject: 'alice', limits: { callsPerMinute: 600 } },
    { ...common, rule: 'app-server', subject: 'app-server', limits: { callsPerMinute: 500 } },
  ]);
});

it('shares one limit between both operations, and counts no request of the rule', async () => {
  const { call, idOf, post } = await createCompletionApp({
    rules: [ownFilesRule({ limits: { requestsPerMinute: 1 } })],
  });
  const id = idOf();
  const remaining = [];
  for (const operation of OPERATIONS)
    remaining.push((await call(operation, { id })).headers['ratelimit-remaining']);
  expect(remaining).toStrictEqual(['9', '8']);
  const upload = { key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 };
  expect([(await post(upload)).status, (await post(upload)).status]).toStrictEqual([201, 429]);
});

it('reports an absent object', async () => {
  const { call, idOf } = await createCompletionApp({ head: async () => undefined });
  const complete = await call('complete', { id: idOf() });
  expect([complete.status, complete.body.code, complete.body.detail]).toStrictEqual([
    404,
    'upload_absent',
    'The object is not stored; send the bytes, or request a new upload if the URL has expired.',
  ]);
  const status = await call('status', { id: idOf() });
  expect([status.status, status.body]).toStrictEqual([
    200,
    { state: 'absent', transfer: 'put', key: 'users/alice/photo.png', contentLength: 5 },
  ]);
  expect(status.headers['cache-control']).toBe('no-store');
  const open = { contentLength: { min: 0, max: null } };
  expect((await call('status', { id: idOf(open) })).body.contentLength).toBeNull();
});

it('reports a stored object, without a receipt', async () => {
  const { call, idOf } = await createCompletionApp();
  const id = idOf({ contentLength: { min: 0, max: 10 } });
  expect((await call('status', { id })).body).toStrictEqual({
    ...{ state: 'stored', transfer: 'put', key: 'users/alice/photo.png', contentLength: 5 },
  });
});

it('needs a token, and the method POST', async () => {
  const { http, idOf } = await createCompletionApp();
  for (const operation of OPERATIONS) {
    const path = `/v1/uploads/${operation}`;
    expect((await http.post(path).send({ id: idOf() })).status).toBe(401);
    expect((await http.get(path)).status).toBe(405);
  }
});

it('expires an id by the clock of the service', async () => {
  let seconds = 0;
  const { call, idOf } = await createCompletionApp({
    clock: () => new Date(fixedClock().getTime() + seconds * 1000),
  });
  const id = idOf({ expiresAt: now.getTime() / 1000 + 300 });
  expect((await call('status', { id })).status).toBe(200);
  seconds = 300;
  expect((await call('status', { id })).status).toBe(410);
});
