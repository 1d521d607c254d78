import { expect, it } from 'vitest';
import { checkLimiter } from '../../src/cli/checks/check-limiter.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { startRedisServer } from '../support/redis-server.ts';

it('the command check accepts a server that counts', async () => {
  const { url } = await startRedisServer({ password: 'ThePassword' });
  expect(await checkLimiter(url, fixedClock)).toStrictEqual({
    name: 'limiter',
    ok: true,
    detail: 'in Redis',
  });
});

it('the command check reports a server that rejects the password', async () => {
  const { url } = await startRedisServer({ password: 'ThePassword' });
  expect(await checkLimiter(url.replace('ThePassword', 'AnotherOne'), fixedClock)).toStrictEqual({
    name: 'limiter',
    ok: false,
    detail: 'degraded: Redis unreachable (WRONGPASS); counting in memory on this replica only',
  });
});
