import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, it, vi } from 'vitest';
import { createKeySources } from '../../../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../../../src/auth/token-verifier.ts';
import { bucketClientWith } from '../../../support/bucket-client.ts';
import { APP_SERVER, confirmRule, createCompletionApp } from '../../../support/completion-app.ts';
import { fixedClock, now } from '../../../support/fixed-clock.ts';
import {
  assembledObject,
  GRANT_ID,
  grantedMultipart,
  STORED_PARTS,
  storedObject,
} from '../../../support/granted-upload.ts';
import {
  createTestNotifier,
  hookSecret,
  startReceiver,
  verifyNotification,
} from '../../../support/notifications.ts';
import { type Fields, ownFilesRule, policyWith } from '../../../support/policies.ts';
import { policyFrom, storageOf } from '../../../support/test-app.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { createTestIssuer } from '../../../support/tokens.ts';

const SECRET = hookSecret();
const CALLER = { issuer: 'https://login.test/', subject: 'alice' };

const notifyingRule = (url: string, fields: Fields = {}) =>
  ownFilesRule({ notify: { url, secretEnv: 'HOOK', timeout: '4s' }, ...fields });

/** The service with a rule that notifies this address. */
async function createNotifying(url: string, options: Parameters<typeof createCompletionApp>[0] = {}) {
  const test = createTestNotifier();
  const app = await createCompletionApp({
    rules: [notifyingRule(url), confirmRule()],
    env: { HOOK: SECRET },
    notifier: test.notifier,
    ...options,
  });
  return { ...app, ...test };
}

it('notifies the receiver of the rule before it responds', async () => {
  const receiver = await startReceiver(204);
  const { call, idOf, http, timeouts } = await createNotifying(receiver.url);
  const { status, body } = await call('complete', { id: idOf() });
  expect(status).toBe(200);
  const [request] = receiver.requests;
  if (!request) throw new Error('no request');
  const sent = verifyNotification(SECRET, request) as { readonly data: { readonly receipt: string } };
  expect(sent).toStrictEqual({
    type: 'upload.stored',
    timestamp: '2026-11-23T10:00:00Z',
    data: { id: GRANT_ID, rule: 'own-files', caller: CALLER, ...body },
  });
  expect(body.state).toBe('stored');
  const published = createLocalJWKSet((await http.get('/.well-known/jwks.json')).body);
  const { payload } = await jwtVerify(sent.data.receipt, published, { currentDate: now });
  expect(payload.jti).toBe(request.headers['webhook-id']);
  expect(timeouts.map(({ ms }) => ms)).toStrictEqual([4000]);
});

it('responds with 502 and the whole response if the receiver does not accept it', async () => {
  const receiver = await startReceiver(500, 204);
  const { call, idOf, http, audits, completions } = await createNotifying(receiver.url);
  const { status, headers, body } = await call('complete', { id: idOf() });
  const { upload, ...problem } = body;
  expect([status, headers['cache-control'], headers['content-type']]).toStrictEqual([
    502,
    'no-store',
    'application/problem+json; charset=utf-8',
  ]);
  expect(problem).toStrictEqual({
    type: 'urn:oss-presign:problem:notification_failed',
    title: 'The upload is stored, but its backend was not notified',
    status: 502,
    code: 'notification_failed',
    detail:
      'The object is stored, but the backend has not accepted the notification; send this request again later, and do not upload the file again.',
    requestId: 'request-1',
  });
  const published = createLocalJWKSet((await http.get('/.well-known/jwks.json')).body);
  expect((await jwtVerify(upload.receipt, published, { currentDate: now })).payload.jti).toBe(GRANT_ID);

  const again = await call('complete', { id: idOf() });
  expect(again.status).toBe(200);
  expect({ ...again.body, receipt: '' }).toStrictEqual({ ...upload, receipt: '' });
  expect(receiver.requests.map((request) => request.headers['webhook-id'])).toStrictEqual([
    GRANT_ID,
    GRANT_ID,
  ]);
  const audit = {
    ...{ operation: 'complete', ...CALLER, grantId: GRANT_ID, rule: 'own-files', target: 'media' },
    ...{ bucket: 'acme-media', key: 'users/alice/photo.png', contentLength: 5 },
  };
  expect(audits()).toStrictEqual([
    ['complete not_notified', 502, { ...audit, outcome: 'not_notified', reasons: ['rejected'] }],
    ['complete stored', 200, { ...audit, outcome: 'stored', reasons: [] }],
  ]);
  expect(completions).toStrictEqual([
    { outcome: 'not_notified', rule: 'own-files' },
    { outcome: 'stored', rule: 'own-files' },
  ]);
});

it('writes no secret, address path, receipt or response of the receiver into the log', async () => {
  const receiver = await startReceiver(500, 200);
  const { call, idOf, log, warnings } = await createNotifying(receiver.url);
  const id = idOf();
  const receipts = [
    (await call('complete', { id })).body.upload.receipt,
    (await call('complete', { id })).body.receipt,
  ];
  const written = log.join('') + JSON.stringify(warnings);
  expect(written).toContain(`127.0.0.1:${receiver.port}`);
  const signatures = receiver.requests.map(({ headers }) => String(headers['webhook-signature']).slice(3));
  const secrets = [SECRET.slice(6), 't0ken', 'h1dden', 'the-secret-response', id, ...receipts, ...signatures];
  expect(secrets).toHaveLength(9);
  for (const secret of secrets) expect(written).not.toContain(secret);
});

it('responds with 502 while the receiver cannot be reached, does not respond, or is busy', async () => {
  let open = 0;
  const server = await startTestServer(() => {
    open += 1;
  });
  const { call, idOf, timeouts, audits } = await createNotifying(`${server.origin}/`);
  const late = call('complete', { id: idOf() });
  await expect.poll(() => open, { timeout: 10_000 }).toBe(1);
  timeouts[0]?.end();
  expect((await late).body.code).toBe('notification_failed');
  await server.stop();
  expect((await call('complete', { id: idOf() })).body.code).toBe('notification_failed');
  const busy = await createNotifying(`${server.origin}/`, { notifier: { notify: async () => 'busy' } });
  expect((await busy.call('complete', { id: busy.idOf() })).body.code).toBe('notification_failed');
  expect([...audits(), ...busy.audits()].map(([, status, { reasons }]) => [status, reasons])).toStrictEqual([
    [502, ['failed']],
    [502, ['failed']],
    [502, ['busy']],
  ]);
  await server.restart();
});

it('sends one notification for calls at the same time', async () => {
  const responses: (() => void)[] = [];
  const server = await startTestServer((_, response) => {
    responses.push(() => response.writeHead(200).end());
  });
  const { notifier } = createTestNotifier();
  const notify = vi.fn(notifier.notify);
  const { call, idOf } = await createNotifying(`${server.origin}/`, { notifier: { notify } });
  const id = idOf();
  const calls = Promise.all([1, 2, 3].map(() => call('complete', { id })));
  await expect.poll(() => notify.mock.calls.length, { timeout: 10_000 }).toBe(3);
  await expect.poll(() => responses.length, { timeout: 10_000 }).toBe(1);
  for (const respond of responses) respond();
  expect((await calls).map(({ status }) => status)).toStrictEqual([200, 200, 200]);
  expect(server.requests).toHaveLength(1);
});

it('names the uploader in a notification that the server of the app causes', async () => {
  const receiver = await startReceiver(204);
  const { call, idOf } = await createNotifying(receiver.url);
  expect((await call('complete', { id: idOf() }, APP_SERVER)).status).toBe(200);
  expect(JSON.parse(receiver.requests[0]?.body ?? '').data).toMatchObject({
    rule: 'own-files',
    caller: CALLER,
  });
});

it('notifies of nothing but stored objects, and not for status', async () => {
  const receiver = await startReceiver(500);
  let object: ReturnType<typeof storedObject> | undefined = storedObject();
  const { call, idOf } = await createNotifying(receiver.url, { head: async () => object });
  const id = idOf();
  expect((await call('status', { id })).status).toBe(200);
  object = undefined;
  expect((await call('complete', { id })).status).toBe(404);
  object = storedObject({ contentLength: 6 });
  expect((await call('complete', { id })).status).toBe(409);
  expect((await call('complete', { id: `${id}A` })).status).toBe(403);
  expect(receiver.requests).toStrictEqual([]);
});

it('notifies of a multipart upload, and keeps the time for it', async () => {
  const receiver = await startReceiver(204);
  const deadlines: unknown[] = [];
  const { call, idOf } = await createNotifying(receiver.url, {
    rules: [notifyingRule(receiver.url, { transfers: ['put', 'multipart'] })],
    createClient: () =>
      bucketClientWith({
        listParts: async (_upload, deadline) => {
          deadlines.push(deadline);
          return STORED_PARTS;
        },
        completeMultipartUpload: async (_upload, _parts, _headers, deadline) => {
          deadlines.push(deadline);
          return 'completed';
        },
        headObject: async () => assembledObject(),
      }),
  });
  const { grantId: _, ...granted } = grantedMultipart();
  const { status, body } = await call('complete', { id: idOf(granted) });
  expect(status).toBe(200);
  expect(JSON.parse(receiver.requests[0]?.body ?? '').data).toStrictEqual({
    ...{ id: GRANT_ID, rule: 'own-files', caller: CALLER },
    ...body,
  });
  expect(body.transfer).toBe('multipart');
  // 61 s without a receiver.
  expect(deadlines).toStrictEqual(Array(2).fill(new Date(now.getTime() + 57_000)));
});

it('serves a rule while the receiver of another one does not respond', async () => {
  let open = 0;
  const silent = await startTestServer(() => {
    open += 1;
  });
  const receiver = await startReceiver(204);
  const { call, idOf, timeouts } = await createNotifying(receiver.url, {
    rules: [
      notifyingRule(`${silent.origin}/`),
      notifyingRule(receiver.url, { name: 'other', prefix: 'other/{sub}/' }),
    ],
    limiter: { consume: () => undefined },
    head: async (key) =>
      storedObject({ metadata: { 'upload-id': key.startsWith('other/') ? GRANT_ID : key.slice(12) } }),
  });
  const hung = Array.from({ length: 3 }, (_, index) => {
    const grantId = `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    return call('complete', { id: idOf({ grantId, key: `users/alice/${grantId}` }) });
  });
  await expect.poll(() => open, { timeout: 10_000 }).toBe(3);
  const other = await call('complete', { id: idOf({ rule: 'other', key: 'other/alice/photo.png' }) });
  expect(other.status).toBe(200);
  for (const { end } of timeouts) end();
  expect((await Promise.all(hung)).map(({ status }) => status)).toStrictEqual(Array(3).fill(502));
});

it('follows a new policy with another secret and another address', async () => {
  const [before, after] = [await startReceiver(204), await startReceiver(204)];
  const issuer = createTestIssuer();
  const activeWith = (url: string, secret: string) => {
    const policy = policyFrom(policyWith({ rules: [notifyingRule(url)] }), issuer, { HOOK: secret });
    const keySources = createKeySources({ clock: fixedClock, fetch });
    return {
      policy,
      storage: storageOf(policy, () => bucketClientWith({ headObject: async () => storedObject() })),
      verifier: createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources }),
    };
  };
  let current = activeWith(before.url, SECRET);
  const { call, idOf } = await createNotifying(before.url, { issuer, active: () => current });
  await call('complete', { id: idOf() });
  current = activeWith(after.url, hookSecret(100));
  await call('complete', { id: idOf() });
  for (const [{ requests }, secret] of [[before, SECRET] as const, [after, hookSecret(100)] as const]) {
    expect(requests).toHaveLength(1);
    for (const request of requests) expect(verifyNotification(secret, request)).toBeDefined();
  }
});

it('sends the receipt of a 502 only after its audit line was written', async () => {
  const receiver = await startReceiver(500);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const { call, idOf, audits } = await createNotifying(receiver.url, {
    auditGate: { isOpen: () => true, written: () => promise },
  });
  const response = call('complete', { id: idOf() });
  await expect.poll(() => audits().length).toBe(1);
  resolve(false);
  const { status, body } = await response;
  expect([status, body.code, body.upload]).toStrictEqual([503, 'unavailable', undefined]);
});
