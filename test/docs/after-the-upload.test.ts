import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { completedUpload } from '../../src/grants/completion/response.ts';
import { PROBLEMS } from '../../src/http/plugins/problem-json.ts';
import { completeUpload } from '../../src/http/routes/complete-upload.ts';
import { createCompletionApp } from '../support/completion-app.ts';
import { codeBlocks, readDocument, shownPattern } from '../support/documents.ts';
import { storedObject } from '../support/granted-upload.ts';

const PAGE = 'docs/after-the-upload.md';
const page = readDocument(PAGE);
const ADDRESS = 'https://presign.example.com';

async function completed({ rules }: { rules?: readonly Readonly<Record<string, unknown>>[] } = {}) {
  const app = await createCompletionApp({
    publicUrl: ADDRESS,
    head: async () => storedObject({ contentLength: 48_213 }),
    ...(rules && { rules }),
  });
  const id = app.idOf({ contentLength: { min: 48_213, max: 48_213 } });
  return { ...app, id };
}

it('the service returns what the page shows', async () => {
  const { call, id } = await completed();
  const response = await call('complete', { id });
  const shown = JSON.parse(codeBlocks(PAGE, 'json')[0] ?? '', (_name, value) =>
    typeof value === 'string' && value.includes('…') ? expect.stringMatching(shownPattern(value)) : value,
  );
  expect(response.body).toStrictEqual(shown);
  expect(completedUpload.safeParse(response.body).success).toBe(true);
});

it('the table has every response of the route that a client should treat by itself', () => {
  const rows = [...page.matchAll(/^\| (\d{3}) `(\w+)` \|/gm)].map(([, status, code]) => [
    code,
    Number(status),
  ]);
  const own = completeUpload.openapi.problems?.filter(
    (code) =>
      code.startsWith('upload_') || ['object_exists', 'storage_error', 'notification_failed'].includes(code),
  );
  expect(rows.map(([code]) => code).toSorted()).toStrictEqual([...(own ?? []), 'unavailable'].toSorted());
  for (const [code, status] of rows) expect(PROBLEMS[code as keyof typeof PROBLEMS].status).toBe(status);
});

it('the code for Node.js accepts a receipt, and rejects another token of the same service', async () => {
  const { call, id, keys, issuer } = await completed();
  const { receipt } = (await call('complete', { id })).body;
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-receipt-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'verify.mjs');
  const [code = ''] = codeBlocks(PAGE, 'js');
  writeFileSync(file, code.replace("'jose'", JSON.stringify(import.meta.resolve('jose'))));
  vi.stubGlobal('fetch', async (url: string | URL) => {
    expect(String(url)).toBe(`${ADDRESS}/.well-known/jwks.json`);
    return Response.json(keys.jwks);
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  vi.useFakeTimers({ now: new Date('2026-11-23T10:00:30Z'), toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { verifyReceipt } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  expect(await verifyReceipt(receipt)).toMatchObject({ sub: 'alice', key: 'users/alice/photo.png' });
  await expect(verifyReceipt(await issuer.sign())).rejects.toThrow();
  await expect(verifyReceipt(receipt.slice(0, -4))).rejects.toThrow();
});

it('a backend confirms by the rule of the page', async () => {
  const { rules } = parse(codeBlocks(PAGE, 'yaml')[0] ?? '');
  const { call, id } = await completed({ rules });
  const backend = { sub: 'backend', client_id: 'app-backend', scope: '' };
  expect((await call('complete', { id }, backend)).status).toBe(200);
  expect((await call('complete', { id }, { sub: 'backend', scope: '' })).body.code).toBe('upload_id_invalid');
});

it('OSS reports an upload by the rule of the page, with the response that the page shows', async () => {
  const { rules } = parse(codeBlocks(PAGE, 'yaml')[1] ?? '');
  const { http, idOf } = await createCompletionApp({
    publicUrl: ADDRESS,
    rules,
    callbacks: { verify: async () => ({ result: 'verified' }) },
  });
  const response = await http.post('/v1/callbacks/oss').send({ id: idOf() });
  expect([response.status, response.text]).toStrictEqual([200, '{"state":"stored"}']);
  expect(page).toContain(`| ${response.status} \`${response.text}\` |`);
});
