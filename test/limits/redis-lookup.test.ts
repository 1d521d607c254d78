import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createRedisConnector, type LookUpHost } from '../../src/limits/redis-connector.ts';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import { startFakeRedis } from './fake-redis.ts';

const TIMEOUT_MS = 100;
/** An attempt to connect may take four times the timeout. */
const SLOW_LOOKUP_MS = 10 * TIMEOUT_MS;
const ADDRESS = { address: '127.0.0.1', family: 4 };
const NOT_FOUND = Object.assign(new Error('getaddrinfo ENOTFOUND redis.test'), { code: 'ENOTFOUND' });

async function startUnderTest(lookUpHost: LookUpHost) {
  const server = await startFakeRedis();
  const changes: (string | undefined)[] = [];
  const limiter = createRedisLimiter({
    url: server.url.replace('127.0.0.1', 'redis.test'),
    nowMs: () => 0,
    timeoutMs: TIMEOUT_MS,
    lookUpHost,
    onModeChange: (mode, reason) => changes.push(reason ?? mode),
  });
  onTestFinished(() => limiter.close());
  return changes;
}

it('connects even if each lookup takes longer than an attempt to connect may take', async () => {
  let pending = 0;
  let mostPending = 0;
  const changes = await startUnderTest(async () => {
    pending += 1;
    mostPending = Math.max(mostPending, pending);
    await delay(SLOW_LOOKUP_MS);
    pending -= 1;
    return [ADDRESS];
  });
  await vi.waitFor(() => expect(changes).toStrictEqual(['ETIMEDOUT', 'redis']), 10_000);
  expect(mostPending).toBe(1);
});

it('looks up the host for each attempt, because a restarted server can have another address', async () => {
  const lookUpHost = vi.fn<LookUpHost>(async () => [ADDRESS]).mockRejectedValueOnce(NOT_FOUND);
  const changes = await startUnderTest(lookUpHost);
  await vi.waitFor(() => expect(changes).toStrictEqual(['ENOTFOUND', 'redis']), 10_000);
  expect(lookUpHost.mock.calls.slice(0, 2)).toStrictEqual(Array(2).fill(['redis.test', 0]));
});

it('opens no connection if it is closed during a lookup', async () => {
  const onConnection = vi.fn();
  const server = createServer(onConnection);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { promise, resolve } = Promise.withResolvers<readonly [typeof ADDRESS]>();
  const Connector = createRedisConnector({ lookUpHost: () => promise, lookupReportMs: 10_000 });
  const { port } = server.address() as AddressInfo;
  const connector = new Connector({ host: 'redis.test', port, disconnectTimeout: 0 });
  const connected = connector.connect(() => {});
  connector.disconnect();
  resolve([ADDRESS]);
  await expect(connected).rejects.toThrow('Connection is closed.');
  expect(onConnection).not.toHaveBeenCalled();
});
