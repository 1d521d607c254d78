import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { putFile } from '../../src/demo/put-file.ts';
import type { UploadAnswer } from '../../src/uploads/upload-answer.ts';
import { findEngine } from './engine.ts';
import { DEMO, demoToken, SERVICE, startStack, stopStack } from './stack.ts';

const engine = findEngine();

beforeAll(() => startStack(engine));
afterAll(() => stopStack(engine));

it('is ready, with its issuer’s keys', async () => {
  await vi.waitFor(
    async () => {
      const text = await (await fetch(`${SERVICE}/readyz`)).text();
      expect(text).toContain('ok issuer keys\n');
      expect(text).toContain('ok limiter\n');
    },
    { timeout: 20_000, interval: 200 },
  );
});

it('serves a page that may call the service from its own origin', async () => {
  const page = await fetch(DEMO);
  expect(await page.text()).toContain(`data-service="${SERVICE}"`);
  const preflight = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'OPTIONS',
    headers: { origin: DEMO, 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBe(DEMO);
});

it('takes a file from a demo token to the emulator’s bucket', async () => {
  const token = await demoToken('alice');
  const answer = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      filename: 'a.txt',
      contentType: 'text/plain',
      contentLength: statSync('package.json').size,
    }),
  });
  const grant = (await answer.json()) as UploadAnswer;
  expect(answer.status, JSON.stringify(grant)).toBe(201);
  expect(grant.url.startsWith('http://localhost:9000/demo-media/users/alice/')).toBe(true);
  const sent = await putFile({
    url: grant.url,
    headers: grant.headers,
    file: 'package.json',
    bytes: grant.contentLength ?? 0,
    onProgress: () => undefined,
  });
  expect(sent.status, sent.body).toBe(200);
});

it('refuses whoever has no token', async () => {
  const answer = await fetch(`${SERVICE}/v1/uploads`, { method: 'POST' });
  expect(answer.status).toBe(401);
});
