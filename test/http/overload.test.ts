import { expect, it } from 'vitest';
import { createTestApp } from '../support/test-app.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };

it('refuses what waited for more than a second, never a probe, and recovers with the next turn', async () => {
  let now = 0;
  let perLook = 0;
  const { post, http, log } = await createTestApp({ monotonicMs: () => (now += perLook) });
  expect((await post(PHOTO)).status).toBe(201);

  perLook = 1_001;
  const refused = await post(PHOTO);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.body).toMatchObject({
    code: 'unavailable',
    detail: 'The service has more requests than it can answer; try again.',
  });
  const probes = await Promise.all(['/livez', '/readyz'].map((path) => http.get(path)));
  expect(probes.map(({ status }) => status)).toStrictEqual([200, 200]);

  perLook = 0;
  expect((await post(PHOTO)).status).toBe(201);
  // One line each, as cheap as can be: whoever refuses for want of time must not spend it on stack traces.
  expect(log.join('')).not.toContain('stack');
});
