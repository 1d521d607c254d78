import { expect, it } from 'vitest';
import { checkLimiter } from '../../src/cli/checks/check-limiter.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { startRedisServer } from '../support/redis-server.ts';

it('the check of the command line finds a server that counts', async () => {
  const { url } = await startRedisServer({ password: 'ThePassword' });
  expect(await checkLimiter(url, fixedClock)).toStrictEqual({
    name: 'limiter',
    ok: true,
    detail: 'in Redis',
  });
});

it('the check of the command line finds a server that refuses the password', async () => {
  const { url } = await startRedisServer({ password: 'ThePassword' });
  expect(await checkLimiter(url.replace('ThePassword', 'AnotherOne'), fixedClock)).toStrictEqual({
    name: 'limiter',
    ok: false,
    detail: 'degraded: Redis unreachable (WRONGPASS); counting in memory on this replica only',
  });
});
