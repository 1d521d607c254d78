import { expect, it } from 'vitest';
import { createTestApp } from '../../support/test-app.ts';

it('is alive without a token', async () => {
  const { http } = await createTestApp();
  const response = await http.get('/livez');
  expect(response.status).toBe(200);
  expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(response.text).toBe('ok\n');
});

it('is ready when every check is good, with one line per check and no detail', async () => {
  const { http } = await createTestApp({
    readiness: () => [
      { name: 'credentials', ok: true, detail: 'static' },
      { name: 'clock', ok: true, detail: 'sane' },
    ],
  });
  const response = await http.get('/readyz');
  expect(response.status).toBe(200);
  expect(response.text).toBe('ok credentials\nok clock\n');
});

it('is not ready when one check fails, names it, and stays alive', async () => {
  const { http } = await createTestApp({
    readiness: () => [
      { name: 'credentials', ok: false, detail: 'expired' },
      { name: 'clock', ok: true, detail: 'sane' },
    ],
  });
  const ready = await http.get('/readyz');
  expect(ready.status).toBe(503);
  expect(ready.headers['retry-after']).toBe('5');
  expect(ready.text).toBe('FAILED credentials\nok clock\n');
  expect((await http.get('/livez')).status).toBe(200);
});

it('closes connections once it drains', async () => {
  const { http } = await createTestApp({ isDraining: () => true });
  expect((await http.get('/livez')).headers.connection).toBe('close');
});
