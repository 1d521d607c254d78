import { expect, it } from 'vitest';
import { APP_SERVER, createCompletionApp } from '../../../support/completion-app.ts';
import { GRANT_ID, storedObject } from '../../../support/granted-upload.ts';

const OBJECT = {
  grantId: GRANT_ID,
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  key: 'users/alice/photo.png',
};
const ALICE = { issuer: 'https://login.test/', subject: 'alice' };

it('logs a confirmation', async () => {
  const { call, idOf, audits, completions, log } = await createCompletionApp();
  const id = idOf();
  const { receipt } = (await call('complete', { id })).body;
  await call('status', { id });
  const audit = { outcome: 'stored', reasons: [], ...ALICE, ...OBJECT, contentLength: 5 };
  expect(audits()).toStrictEqual([
    ['complete stored', 200, { operation: 'complete', ...audit }],
    ['status stored', 200, { operation: 'status', ...audit }],
  ]);
  expect(completions).toStrictEqual(Array(2).fill({ outcome: 'stored', rule: 'own-files' }));
  for (const secret of [id, receipt, receipt.split('.')[2], id.split('.')[1]])
    expect(log.join('')).not.toContain(secret);
});

it('logs who confirms the upload of whom, and by which rule', async () => {
  const { call, idOf, audits } = await createCompletionApp();
  await call('complete', { id: idOf() }, APP_SERVER);
  expect(audits()[0]?.[2]).toStrictEqual({
    ...{ operation: 'complete', outcome: 'stored', reasons: [], ...ALICE, subject: 'app-server', ...OBJECT },
    ...{
      uploaderIssuer: ALICE.issuer,
      uploaderSubject: 'alice',
      confirmRule: 'app-server',
      contentLength: 5,
    },
  });
});

it('logs an absent object, a mismatch with its codes, and an expired id', async () => {
  let stored: ReturnType<typeof storedObject> | undefined;
  const { call, idOf, audits, completions } = await createCompletionApp({ head: async () => stored });
  await call('complete', { id: idOf() });
  stored = storedObject({ contentLength: 1, cacheControl: 'secret-value', contentEncoding: 'x' });
  await call('complete', { id: idOf() });
  await call('complete', { id: idOf({ issuedAt: 1, expiresAt: 2 }) });
  const head = { operation: 'complete', ...ALICE, ...OBJECT };
  expect(audits()).toStrictEqual([
    ['complete absent', 404, { ...head, outcome: 'absent', reasons: [] }],
    [
      'complete mismatch',
      409,
      { ...head, outcome: 'mismatch', reasons: ['content_length_mismatch', 'header_mismatch'] },
    ],
    ['complete expired', 410, { ...head, outcome: 'expired', reasons: [] }],
  ]);
  expect(JSON.stringify(audits())).not.toContain('secret-value');
  expect(completions.map(({ outcome }) => outcome)).toStrictEqual(['absent', 'mismatch', 'expired']);
});

it('logs a forged id without what it claims, and an id of another caller with what it binds', async () => {
  const { call, idOf, audits, completions, log } = await createCompletionApp();
  const forged = `${idOf().slice(0, -5)}AAAAA`;
  await call('complete', { id: forged });
  await call('complete', { id: idOf() }, { sub: 'bob' });
  const head = { operation: 'complete', outcome: 'invalid', reasons: [], ...ALICE };
  expect(audits()).toStrictEqual([
    ['complete invalid', 403, head],
    [
      'complete invalid',
      403,
      {
        ...{ ...head, subject: 'bob', ...OBJECT },
        ...{ uploaderIssuer: ALICE.issuer, uploaderSubject: 'alice' },
      },
    ],
  ]);
  expect(completions).toStrictEqual(Array(2).fill({ outcome: 'invalid', rule: undefined }));
  expect(log.join('')).not.toContain(forged);
});

it('sends a receipt only after its audit line was written', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const { call, idOf, audits } = await createCompletionApp({
    auditGate: { isOpen: () => true, written: () => promise },
  });
  let isSent = false;
  const response = call('complete', { id: idOf() }).then((sent) => {
    isSent = true;
    return sent;
  });
  await expect.poll(() => audits().length).toBe(1);
  expect((await call('status', { id: idOf() })).status).toBe(200);
  expect(isSent).toBe(false);
  resolve(true);
  expect((await response).body.receipt).toBeDefined();
});

it('sends no receipt whose audit line was lost, and counts none', async () => {
  const { call, idOf, completions } = await createCompletionApp({
    auditGate: { isOpen: () => true, written: async () => false },
  });
  const response = await call('complete', { id: idOf() });
  expect([response.status, response.body.code]).toStrictEqual([503, 'unavailable']);
  expect(response.text).not.toContain('receipt');
  expect(completions).toStrictEqual([]);
});

it('asks the storage for no receipt while audit lines cannot be written', async () => {
  const { call, idOf, heads } = await createCompletionApp({
    auditGate: { isOpen: () => false, written: async () => false },
  });
  expect((await call('complete', { id: idOf() })).status).toBe(503);
  expect(heads).toStrictEqual([]);
  expect((await call('complete', { id: 'x' })).status).toBe(403);
  expect((await call('status', { id: idOf() })).status).toBe(200);
});
