import { expect, it, vi } from 'vitest';
import { createShare } from '../../src/http/overload.ts';
import { createTestApp } from '../support/test-app.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };

it.each([
  [0, 0],
  [0.1, 100],
  [0.25, 250],
  [0.9, 900],
  [1, 1000],
])('says yes to a share of %s, evenly spread', (share, expected) => {
  const refuses = createShare();
  const answers = Array.from({ length: 1000 }, () => refuses(share));
  expect(answers.filter(Boolean).length).toBeGreaterThanOrEqual(expected - 1);
  expect(answers.filter(Boolean).length).toBeLessThanOrEqual(expected);
  if (share === 0.25)
    expect(answers.slice(0, 8)).toStrictEqual([false, false, false, true, false, false, false, true]);
});

it('refuses a share of the uploads while it is too slow, never a probe, and recovers by itself', async () => {
  const { app, post, http } = await createTestApp({
    overload: { maxEventLoopDelayMs: 50, sampleIntervalMs: 100 },
  });
  const isSlow = () => app.isUnderPressure();
  const block = setInterval(() => {
    const until = performance.now() + 100;
    while (performance.now() < until);
  }, 1);
  await vi.waitFor(() => expect(isSlow()).toBe(true), { timeout: 10_000, interval: 1 });

  const [probes, answers] = await Promise.all([
    Promise.all([http.get('/livez'), http.get('/readyz')]),
    Promise.all(Array.from({ length: 8 }, () => post(PHOTO))),
  ]);
  clearInterval(block);

  expect(new Set(answers.map(({ status }) => status))).toStrictEqual(new Set([201, 503]));
  const refused = answers.find(({ status }) => status === 503);
  expect(refused?.headers['retry-after']).toBe('1');
  expect(refused?.body).toMatchObject({
    code: 'unavailable',
    detail: 'The service has more requests than it can answer; try again.',
  });
  expect(probes.map(({ status }) => status)).toStrictEqual([200, 200]);
  await vi.waitFor(() => expect(isSlow()).toBe(false), { timeout: 5_000 });
  expect((await post(PHOTO)).status).toBe(201);
}, 60_000);
