import { expect, it } from 'vitest';
import { openUploadId } from '../../../../src/grants/upload-id.ts';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { createTestApp, GRANT_ID } from '../../../support/test-app.ts';

const keys = serviceKeysOf('first');
const { key: _, ...WITHOUT_KEY } = PHOTO;
const NAMED = { ...WITHOUT_KEY, filename: 'photo.png' };
const KEY = 'attempt-1';

async function createApp(options: Parameters<typeof createTestApp>[0] = {}) {
  const app = await createTestApp({ serviceKeys: { current: () => keys, isShared: true }, ...options });
  return {
    ...app,
    send: async (
      body: object | string,
      idempotencyKey: string | null = KEY,
      claims: Readonly<Record<string, unknown>> = {},
    ) =>
      app.http
        .post('/v1/uploads')
        .set('authorization', `Bearer ${await app.issuer.sign(claims)}`)
        .set('content-type', 'application/json')
        .set(idempotencyKey === null ? {} : { 'Idempotency-Key': idempotencyKey })
        .send(typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

it('grants a repeated request the same object key and grant id, at any replica', async () => {
  const [one, other] = [await createApp(), await createApp()];
  const first = await one.send({ ...NAMED, metadata: { album: '42' } });
  const again = await other.send({
    overwrite: false,
    metadata: { ALBUM: ' 42 ' },
    transfer: 'put',
    ...NAMED,
  });
  expect([first.status, again.status]).toStrictEqual([201, 201]);
  expect(first.body.key).toMatch(/^users\/alice\/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f-]{17}\.png$/);
  expect(again.body.key).toBe(first.body.key);
  const [granted, grantedAgain] = [first, again].map(({ body }) => openUploadId(keys, body.id));
  expect(granted?.grantId).toBe(grantedAgain?.grantId);
  expect(first.body.key).toContain(granted?.grantId);
});

it('works for forms, and for rules without receipts', async () => {
  const { send } = await createApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ transfers: ['put', 'form'], receipts: false })] }),
  });
  for (const transfer of ['put', 'form']) {
    const [first, again] = [await send({ ...NAMED, transfer }), await send({ ...NAMED, transfer })];
    expect([first.status, again.body.key]).toStrictEqual([201, first.body.key]);
    expect(first.body.key).not.toContain(GRANT_ID);
  }
});

it.each<[string, object, string | null, Readonly<Record<string, unknown>>]>([
  ['another value', NAMED, 'attempt-2', {}],
  ['no value', NAMED, null, {}],
  ['another length', { ...NAMED, contentLength: 1 }, KEY, {}],
  ['another name with the same extension', { ...NAMED, filename: 'other.png' }, KEY, {}],
  ['another type', { ...NAMED, contentType: 'image/jpeg' }, KEY, {}],
  ['metadata', { ...NAMED, metadata: { album: '1' } }, KEY, {}],
  ['an expiry', { ...NAMED, expiresIn: 600 }, KEY, {}],
  ['a target', { ...NAMED, target: 'media' }, KEY, {}],
  ['another caller', NAMED, KEY, { sub: 'bob' }],
])('grants another id for %s', async (_title, body, idempotencyKey, claims) => {
  const { send } = await createApp();
  const first = await send(NAMED);
  const other = await send(body, idempotencyKey, claims);
  expect([first.status, other.status]).toStrictEqual([201, 201]);
  const idOf = ({ key }: { readonly key: string }) => key.replace(/^users\/\w+\/|\.\w+$/g, '');
  expect(idOf(other.body)).not.toBe(idOf(first.body));
});

it('counts a repeated request against the limits again', async () => {
  const { send } = await createApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 2 } })] }),
  });
  const statuses = [(await send(NAMED)).status, (await send(NAMED)).status, (await send(NAMED)).status];
  expect(statuses).toStrictEqual([201, 201, 429]);
});

it.each([['a'], ['a'.repeat(255)], ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'], ['!~,;=']])(
  'accepts %s as a value',
  async (value) => {
    const { send } = await createApp();
    expect((await send(NAMED, value)).status).toBe(201);
  },
);

it.each([[''], ['a'.repeat(256)], ['a b'], ['é'], ['a\tb']])('rejects %j as a value', async (value) => {
  const { send } = await createApp();
  const { status, body } = await send(NAMED, value);
  expect([status, body.code, body.detail]).toStrictEqual([
    400,
    'invalid_request',
    'The header Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters, such as a UUID.',
  ]);
});

it('rejects the header twice, and with a key', async () => {
  const { app, issuer, send } = await createApp();
  const twice = await app.inject({
    method: 'POST',
    url: '/v1/uploads',
    headers: {
      authorization: `Bearer ${await issuer.sign()}`,
      'content-type': 'application/json',
      'idempotency-key': ['a', 'b'],
    },
    payload: JSON.stringify(NAMED),
  });
  expect(twice.statusCode).toBe(400);
  const { status, body } = await send(PHOTO);
  const detail =
    'The header Idempotency-Key needs "filename", for which the service creates the key. With "key", leave the header out.';
  expect([status, body.code, body.detail, body.errors]).toStrictEqual([
    400,
    'invalid_request',
    detail,
    [{ pointer: '/key', code: 'conflict', detail }],
  ]);
});

it('gets 503 where replicas have different keys, and the log has the reason', async () => {
  const { send, log } = await createApp({ canContinueUploads: false });
  const { status, headers, body } = await send(NAMED);
  expect([status, body.code, headers['retry-after']]).toStrictEqual([503, 'unavailable', '60']);
  expect(log.join('')).toContain('REDIS_URL is set without SERVICE_KEYS_FILE');
  expect(JSON.stringify(body)).not.toMatch(/REDIS|SERVICE_KEYS/);
  expect((await send(NAMED, null)).status).toBe(201);
});

it('never reaches the log', async () => {
  const { send, log } = await createApp();
  await send(NAMED, 'TheIdempotencyKey');
  await send(PHOTO, 'TheIdempotencyKey');
  expect(log.length).toBeGreaterThan(1);
  expect(log.join('')).not.toContain('TheIdempotencyKey');
});
