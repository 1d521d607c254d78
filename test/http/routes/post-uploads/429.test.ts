import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';

const BIG_PHOTO = { ...PHOTO, contentLength: 600_000 };
const limited = (limits: Readonly<Record<string, unknown>>) => ({
  policyYaml: policyWith({ rules: [ownFilesRule({ limits })] }),
});

it('rejects uploads beyond the requests per minute with Retry-After, and does not affect other callers', async () => {
  const { post } = await createTestApp(limited({ requestsPerMinute: 2 }));
  const statuses = [await post(BIG_PHOTO), await post(BIG_PHOTO)].map(({ status }) => status);
  const rejected = await post(BIG_PHOTO);
  const other = await post({ ...BIG_PHOTO, key: 'users/bob/photo.png' }, { sub: 'bob' });

  expect(statuses).toStrictEqual([201, 201]);
  expect(rejected.status).toBe(429);
  expect(rejected.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '0' });
  expect(rejected.headers['retry-after']).toBe(rejected.headers['ratelimit-reset']);
  expect(Number(rejected.headers['retry-after'])).toBeGreaterThan(0);
  expect(rejected.body).toStrictEqual({
    type: 'urn:oss-presign:problem:rate_limited',
    title: 'A limit is reached',
    status: 429,
    code: 'rate_limited',
    detail: `The limit of 2 requests per minute is reached; try again in ${rejected.headers['retry-after']} seconds.`,
    requestId: 'request-3',
    retryAfter: 60,
  });
  expect(other.status).toBe(201);
});

it('rejects uploads beyond the bytes per day', async () => {
  const { post } = await createTestApp(limited({ bytesPerDay: '1MB' }));
  const [first, second, third] = [
    await post(BIG_PHOTO),
    await post(BIG_PHOTO),
    await post({ ...BIG_PHOTO, contentLength: 400_000 }),
  ];
  expect([first.status, second.status, third.status]).toStrictEqual([201, 429, 201]);
  expect(second.body.detail).toContain('1000000 bytes per day');
});

it('does not count uploads that the policy denies', async () => {
  const { post } = await createTestApp(limited({ requestsPerMinute: 1 }));
  const denied = await post({ ...BIG_PHOTO, key: 'users/bob/a' });
  const granted = await post(BIG_PHOTO);
  expect([denied.status, granted.status]).toStrictEqual([403, 201]);
});
