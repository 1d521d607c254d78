import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';

const BIG_PHOTO = { ...PHOTO, contentLength: 600_000 };
const limited = (limits: Readonly<Record<string, unknown>>) => ({
  policyYaml: policyWith({ rules: [ownFilesRule({ limits })] }),
});

it('refuses what goes beyond the requests per minute, says when to come back, and lets others through', async () => {
  const { post } = await createTestApp(limited({ requestsPerMinute: 2 }));
  const statuses = [await post(BIG_PHOTO), await post(BIG_PHOTO)].map(({ status }) => status);
  const refused = await post(BIG_PHOTO);
  const other = await post({ ...BIG_PHOTO, key: 'users/bob/photo.png' }, { sub: 'bob' });

  expect(statuses).toStrictEqual([201, 201]);
  expect(refused.status).toBe(429);
  expect(refused.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '0' });
  expect(refused.headers['retry-after']).toBe(refused.headers['ratelimit-reset']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.body).toStrictEqual({
    type: 'urn:oss-presign:problem:rate_limited',
    title: 'A limit is reached',
    status: 429,
    code: 'rate_limited',
    detail: `The limit of 2 requests per minute is reached; try again in ${refused.headers['retry-after']} seconds.`,
    requestId: 'request-3',
    retryAfter: 60,
  });
  expect(other.status).toBe(201);
});

it('refuses what goes beyond the bytes per day', async () => {
  const { post } = await createTestApp(limited({ bytesPerDay: '1MB' }));
  const [first, second, third] = [
    await post(BIG_PHOTO),
    await post(BIG_PHOTO),
    await post({ ...BIG_PHOTO, contentLength: 400_000 }),
  ];
  expect([first.status, second.status, third.status]).toStrictEqual([201, 429, 201]);
  expect(second.body.detail).toContain('1000000 bytes per day');
});

it('does not count what the policy refuses', async () => {
  const { post } = await createTestApp(limited({ requestsPerMinute: 1 }));
  const denied = await post({ ...BIG_PHOTO, key: 'users/bob/a' });
  const granted = await post(BIG_PHOTO);
  expect([denied.status, granted.status]).toStrictEqual([403, 201]);
});
