import { expect, it } from 'vitest';
import { PHOTO } from '../../support/requests.ts';
import { createTestApp } from '../../support/test-app.ts';

/** An app whose requests wait for a given time, and a function that sends many uploads at once. */
async function createWaitingApp() {
  let waitMs = 0;
  const { app, issuer, log } = await createTestApp({
    requestGroups: { join: async () => waitMs },
  });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  return {
    log,
    wait: (ms: number) => {
      waitMs = ms;
    },
    get: (url: string) => app.inject(url),
    post: (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          app.inject({ method: 'POST', url: '/v1/uploads', headers, payload: PHOTO }),
        ),
      ),
  };
}

it.each([
  [1_000, 0],
  [1_250, 20],
  [2_000, 50],
  [4_000, 75],
  [60_000, 90],
])('when requests wait for %s ms, rejects %s of 100, evenly spread', async (ms, expected) => {
  const { wait, post } = await createWaitingApp();
  wait(ms);
  const statuses = (await post(100)).map(({ statusCode }) => statusCode);
  for (const part of [statuses.slice(0, 50), statuses.slice(50)]) {
    const rejected = part.filter((status) => status === 503).length;
    expect(Math.abs(rejected - expected / 2)).toBeLessThanOrEqual(1);
    expect(part.filter((status) => status !== 503 && status !== 201)).toStrictEqual([]);
  }
});

it('sends Retry-After, never rejects a probe, and recovers at once', async () => {
  const { wait, post, get } = await createWaitingApp();
  wait(60_000);
  const rejected = (await post(10)).find(({ statusCode }) => statusCode === 503);
  expect(rejected?.headers['retry-after']).toBe('1');
  expect(rejected?.json()).toMatchObject({
    code: 'unavailable',
    detail: 'The service has more requests than it can handle; try again.',
  });
  for (const probe of ['/livez', '/readyz', '/livez', '/readyz'])
    expect((await get(probe)).statusCode).toBe(200);
  expect((await get('/nothing-here')).statusCode).toBe(404);
  wait(0);
  for (const { statusCode } of await post(10)) expect(statusCode).toBe(201);
});

it('logs one warning, and no line for each rejection', async () => {
  const { wait, post, log } = await createWaitingApp();
  wait(60_000);
  await post(20);
  const lines = log.map((line) => JSON.parse(line)).filter(({ level }) => level !== 'debug');
  expect(lines.filter(({ msg }) => msg.startsWith('overloaded'))).toStrictEqual([
    expect.objectContaining({ level: 'warn', waitedMs: 60_000 }),
  ]);
  expect(lines.filter(({ code }) => code === 'unavailable')).toStrictEqual([]);
});
