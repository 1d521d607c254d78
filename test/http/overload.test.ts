import { expect, it } from 'vitest';
import { createTestApp } from '../support/test-app.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };

it('refuses what waited for more than a second, never a probe, and recovers with the next turn', async () => {
  let now = 0;
  let perLook = 0;
  const { app, issuer, log } = await createTestApp({ monotonicMs: () => (now += perLook) });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const postAtOnce = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        app.inject({ method: 'POST', url: '/v1/uploads', headers, payload: PHOTO }),
      ),
    );
  const statuses = (answers: readonly { readonly statusCode: number }[]) =>
    new Set(answers.map(({ statusCode }) => statusCode));
  expect(statuses(await postAtOnce(40))).toStrictEqual(new Set([201]));

  perLook = 1_001;
  const [answers, ...probes] = await Promise.all([
    postAtOnce(40),
    ...['/livez', '/readyz'].map((url) => app.inject(url)),
  ]);
  expect(statuses(answers)).toStrictEqual(new Set([201, 503]));
  const refused = answers.find(({ statusCode }) => statusCode === 503);
  expect(refused?.headers['retry-after']).toBe('1');
  expect(refused?.json()).toMatchObject({
    code: 'unavailable',
    detail: 'The service has more requests than it can answer; try again.',
  });
  expect(statuses(probes)).toStrictEqual(new Set([200]));

  perLook = 0;
  expect(statuses(await postAtOnce(40))).toStrictEqual(new Set([201]));

  // One line for the turn, and none at the level info for each of those who were refused.
  const lines = log.map((line) => JSON.parse(line)).filter(({ level }) => level !== 'debug');
  expect(lines.filter(({ msg }) => msg.startsWith('overloaded'))).toStrictEqual([
    expect.objectContaining({ level: 'warn', turnMs: expect.any(Number) }),
  ]);
  expect(lines.filter(({ code }) => code === 'unavailable')).toStrictEqual([]);
});
