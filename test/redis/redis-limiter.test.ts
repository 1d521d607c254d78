import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LimitedUpload, Limiter, LimitVerdict } from '../../src/grants/ports/limiter.ts';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import type { LimiterMode, RunningLimiter } from '../../src/limits/running-limiter.ts';
import { anUpload, countAllowed, describeLimiterContract } from '../support/limiter.contract.ts';
import { findFreePort, startRedisServer } from '../support/redis-server.ts';

const TIMEOUT_MS = 1000;
/** For the work in addition to the waiting, on a busy machine. */
const SLACK_MS = 1000;
/** For tests that do not measure time: a limiter that times out counts in memory. */
const PATIENT_MS = 15_000;

const TEN_PER_MINUTE = anUpload({ limits: { requestsPerMinute: 10 } });

describeLimiterContract('the Redis limiter', async () => {
  const server = await startRedisServer();
  const redis = connect(server.url);
  const { limiter, modes } = createUnderTest(server.url, PATIENT_MS);
  await becomes(modes, 'redis');
  // Simulates time on the server: shortens the remaining life of each key.
  const passSeconds = async (seconds: number) => {
    for (const key of await redis.keys('*')) {
      await redis.pexpire(key, (await redis.pttl(key)) - seconds * 1000);
    }
  };
  return { limiter, passSeconds };
});

describe('the counts in Redis', () => {
  it('do not identify the caller, and expire', async () => {
    const server = await startRedisServer();
    const { limiter } = createUnderTest(server.url, PATIENT_MS);
    const limits = { requestsPerMinute: 5, bytesPerDay: 5000 };
    await limiter.consume(anUpload({ subject: 'alice@example.com', bytes: 1234, limits }));

    const redis = connect(server.url);
    const keys = (await redis.keys('*')).filter((key) => !key.includes('trial')).sort();
    const values = await Promise.all(keys.map((key) => redis.get(key)));
    const lives = await Promise.all(keys.map((key) => redis.ttl(key)));
    expect(keys).toStrictEqual([
      expect.stringMatching(/^oss-presign:\{[\w-]{43}\}:bytesPerDay$/),
      expect.stringMatching(/^oss-presign:\{[\w-]{43}\}:requestsPerMinute$/),
    ]);
    expect(values).toStrictEqual(['1234', '1']);
    expect(lives[0]).toBeGreaterThan(86_390);
    expect(lives[0]).toBeLessThanOrEqual(86_400);
    expect(lives[1]).toBeGreaterThan(50);
    expect(lives[1]).toBeLessThanOrEqual(60);
  });

  it('are shared exactly by all replicas', async () => {
    const server = await startRedisServer();
    const replicas = [1, 2].map(() => createUnderTest(server.url, PATIENT_MS).limiter);
    const upload = anUpload({ bytes: 3, limits: { requestsPerMinute: 120, bytesPerDay: 200 } });
    const verdicts = await Promise.all(
      Array.from({ length: 200 }, (_, index) => replicas[index % 2]?.consume(upload)),
    );
    expect(countAllowed(verdicts)).toBe(66);
  });

  it('begin again if a key lost its expiry, instead of rejecting uploads forever', async () => {
    const server = await startRedisServer();
    const { limiter } = createUnderTest(server.url, PATIENT_MS);
    for (let request = 0; request < 10; request += 1) await limiter.consume(TEN_PER_MINUTE);
    const admin = connect(server.url);
    for (const key of await admin.keys('*')) await admin.persist(key);
    expect(await limiter.consume(TEN_PER_MINUTE)).toMatchObject({ remaining: 9, resetInSeconds: 60 });
  });

  it('take one call for 100 uploads that arrive together', async () => {
    const server = await startRedisServer();
    const { limiter, modes } = createUnderTest(server.url, PATIENT_MS);
    await becomes(modes, 'redis');
    const admin = connect(server.url);
    await admin.config('RESETSTAT');
    await Promise.all(Array.from({ length: 200 }, () => limiter.consume(TEN_PER_MINUTE)));
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1]).toBe('2');
  });

  it('continue on a server that lost the script', async () => {
    const server = await startRedisServer();
    const { limiter, modes } = createUnderTest(server.url, PATIENT_MS);
    await limiter.consume(TEN_PER_MINUTE);
    await connect(server.url).script('FLUSH');
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => limiter.consume(TEN_PER_MINUTE)));
    expect(countAllowed(verdicts)).toBe(9);
    expect(modes).toStrictEqual(['redis']);
  });

  it('are exact in a cluster, which accepts the keys of one slot at a time', async () => {
    const server = await startRedisServer({ isCluster: true });
    const admin = connect(server.url);
    const { limiter, modes } = createUnderTest(server.url, PATIENT_MS);
    await becomes(modes, 'redis');
    const upload = anUpload({ bytes: 3, limits: { requestsPerMinute: 70, bytesPerDay: 200 } });
    const verdicts = await Promise.all(
      Array.from({ length: 200 }, (_, index) => limiter.consume({ ...upload, subject: `${index % 2}` })),
    );
    expect(countAllowed(verdicts)).toBe(132);
    expect((await admin.keys('*')).filter((key) => !key.includes('trial'))).toHaveLength(4);
    expect(modes).toStrictEqual(['redis']);
  });

  it('include the first request of a replica that has just started', async () => {
    const server = await startRedisServer();
    await createUnderTest(server.url, PATIENT_MS).limiter.consume(TEN_PER_MINUTE);
    const verdict = await createUnderTest(server.url, PATIENT_MS).limiter.consume(TEN_PER_MINUTE);
    expect(verdict).toMatchObject({ allowed: true, remaining: 8 });
  });
});

describe('a server that cannot be used', () => {
  it('that is killed under load causes no error, and is used again after its restart', async () => {
    const server = await startRedisServer();
    const { limiter, modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');

    const underLoad = Array.from({ length: 200 }, () => timed(limiter, TEN_PER_MINUTE));
    const killed = server.signal('SIGKILL');
    const whileKilled = await Promise.all(underLoad);
    await killed;
    await becomes(modes, 'degraded');
    expect(limiter.mode()).toBe('degraded');
    expect(limiter.describe()).toStrictEqual({
      ok: true,
      detail: expect.stringMatching(
        /^degraded: Redis unreachable \([\w ]+\); counting in memory on this replica only$/,
      ),
    });
    const bob = { ...TEN_PER_MINUTE, subject: 'bob' };
    const inMemory = await Promise.all(Array.from({ length: 30 }, () => timed(limiter, bob)));

    await server.start();
    await becomes(modes, 'redis');
    expect(limiter.describe()).toStrictEqual({ ok: true, detail: 'in Redis' });
    expect(limiter.mode()).toBe('redis');
    // The new server is empty, so bob's full limit shows that Redis counts again.
    const again = await limiter.consume(bob);

    expect(slowest([...whileKilled, ...inMemory])).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    // At most ten in Redis, and ten in memory.
    const grantedWhileKilled = countAllowed(whileKilled.map(({ verdict }) => verdict));
    expect(grantedWhileKilled).toBeGreaterThanOrEqual(10);
    expect(grantedWhileKilled).toBeLessThanOrEqual(20);
    expect(countAllowed(inMemory.map(({ verdict }) => verdict))).toBe(10);
    expect(again).toMatchObject({ allowed: true, remaining: 9 });
    expect(modes).toStrictEqual(['redis', 'degraded', 'redis']);
  });

  it('that hangs delays no request longer than the time-out, and later ones not at all', async () => {
    const server = await startRedisServer();
    const { limiter, modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');

    await server.signal('SIGSTOP');
    const first = await Promise.all(Array.from({ length: 30 }, () => timed(limiter, TEN_PER_MINUTE)));
    expect(modes).toStrictEqual(['redis', 'degraded']);
    expect(limiter.describe().detail).toContain('(ETIMEDOUT)');
    const next = await timed(limiter, TEN_PER_MINUTE);
    await server.signal('SIGCONT');
    await becomes(modes, 'redis');

    expect(countAllowed(first.map(({ verdict }) => verdict))).toBe(10);
    expect(slowest(first)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(next.verdict).toMatchObject({ allowed: false });
    expect(next.ms).toBeLessThan(TIMEOUT_MS / 2);
  });

  it('that hangs from the start delays no request longer than the time-out', async () => {
    const server = await startRedisServer();
    await server.signal('SIGSTOP');
    const { limiter, modes } = createUnderTest(server.url);
    const first = await timed(limiter, TEN_PER_MINUTE);
    await becomes(modes, 'degraded');
    const next = await timed(limiter, TEN_PER_MINUTE);
    await server.signal('SIGCONT');
    await becomes(modes, 'redis');

    expect(first).toMatchObject({ verdict: { allowed: true, remaining: 9 } });
    expect(next).toMatchObject({ verdict: { allowed: true, remaining: 8 } });
    expect(first.ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(next.ms).toBeLessThan(TIMEOUT_MS / 2);
    expect(modes).toStrictEqual(['degraded', 'redis']);
  });

  it('that is a read-only replica is used again after its promotion', async () => {
    const [source, server] = [await startRedisServer(), await startRedisServer()];
    const admin = connect(server.url);
    await admin.replicaof('127.0.0.1', source.port);
    await vi.waitFor(
      async () => expect(await admin.info('replication')).toContain('master_link_status:up'),
      8000,
    );
    const { limiter, modes } = createUnderTest(server.url);
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => limiter.consume(TEN_PER_MINUTE)));
    const { detail } = limiter.describe();
    await admin.replicaof('NO', 'ONE');
    await becomes(modes, 'redis');

    expect(countAllowed(verdicts)).toBe(10);
    expect(detail).toBe('degraded: Redis unreachable (READONLY); counting in memory on this replica only');
    expect(modes).toStrictEqual(['degraded', 'redis']);
  });

  // A connection that is never ready neither closes nor fails.
  it('that is loading delays the first request no longer than the time-out, and the next not at all', async () => {
    const loading = createServer((socket) => {
      onTestFinished(() => void socket.destroy());
      const info = 'loading:1\r\nloading_eta_seconds:60\r\n';
      socket.on('data', (command) => {
        socket.write(/info/i.test(String(command)) ? `$${info.length}\r\n${info}\r\n` : '%0\r\n');
      });
    });
    await once(loading.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void loading.close());
    const { limiter, modes } = createUnderTest(
      `redis://127.0.0.1:${(loading.address() as AddressInfo).port}`,
    );
    const first = await timed(limiter, TEN_PER_MINUTE);
    const next = await timed(limiter, TEN_PER_MINUTE);
    expect(first.ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(next.ms).toBeLessThan(TIMEOUT_MS / 2);
    expect([first.verdict, next.verdict]).toMatchObject([{ remaining: 9 }, { remaining: 8 }]);
    expect(modes).toStrictEqual(['degraded']);
  });

  // If the back-off grew from one outage to the next, it would reach its maximum of 2 s.
  it('is used again soon after each of several outages', async () => {
    const server = await startRedisServer();
    const { modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');
    let startedAt = 0;
    for (let outage = 1; outage <= 8; outage += 1) {
      await server.signal('SIGKILL');
      await becomes(modes, 'degraded');
      startedAt = performance.now();
      await server.start();
      await becomes(modes, 'redis');
    }
    expect(performance.now() - startedAt).toBeLessThan(1800);
  });

  it('that is missing at the start is used when it starts', async () => {
    const port = await findFreePort();
    const { limiter, modes } = createUnderTest(`redis://127.0.0.1:${port}`);
    const verdicts = await Promise.all(Array.from({ length: 12 }, () => limiter.consume(TEN_PER_MINUTE)));
    expect(countAllowed(verdicts)).toBe(10);
    expect(limiter.describe()).toStrictEqual({
      ok: true,
      detail: 'degraded: Redis unreachable (ECONNREFUSED); counting in memory on this replica only',
    });

    await startRedisServer({ port });
    await becomes(modes, 'redis');
    expect(await limiter.consume(TEN_PER_MINUTE)).toMatchObject({ allowed: true, remaining: 9 });
    expect(modes).toStrictEqual(['degraded', 'redis']);
  });

  // It responds but cannot count. The limiter must neither reject uploads nor flap between the
  // modes.
  it('that is full is used again after it has memory', async () => {
    const server = await startRedisServer();
    const admin = connect(server.url);
    const { limiter, modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');

    await admin.config('SET', 'maxmemory', '1');
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => limiter.consume(TEN_PER_MINUTE)));
    const connections = await countConnections(admin);
    await vi.waitFor(
      async () => expect(await countConnections(admin)).toBeGreaterThan(connections + 2),
      5000,
    );
    const { detail } = limiter.describe();
    const modesWhileFull = [...modes];
    await admin.config('SET', 'maxmemory', '0');
    await becomes(modes, 'redis');

    expect(countAllowed(verdicts)).toBe(10);
    expect(detail).toBe('degraded: Redis unreachable (OOM); counting in memory on this replica only');
    expect(modesWhileFull).toStrictEqual(['redis', 'degraded']);
    expect(modes).toStrictEqual(['redis', 'degraded', 'redis']);
  });
});

it('a used-up limit stays used up if this process is busy for longer than the time-out', async () => {
  const server = await startRedisServer();
  const modes: LimiterMode[] = [];
  const limiter = createRedisLimiter({
    url: server.url,
    nowMs: () => performance.now(),
    onModeChange: (mode) => void modes.push(mode),
  });
  onTestFinished(() => limiter.close());
  await becomes(modes, 'redis');
  const twenty = anUpload({ bytes: 100, limits: { requestsPerMinute: 20, bytesPerDay: 2_000 } });
  for (let request = 0; request < 20; request += 1) await limiter.consume(twenty);
  const verdicts = [];
  for (let round = 0; round < 3; round += 1) {
    const open = Array.from({ length: 10 }, () => limiter.consume(twenty));
    await nextTurn();
    const until = performance.now() + 600;
    while (performance.now() < until);
    verdicts.push(...(await Promise.all(open)), await limiter.consume(twenty));
  }
  expect(countAllowed(verdicts)).toBe(0);
  expect(modes).toStrictEqual(['redis']);
});

describe('the password of the address', () => {
  it('is used', async () => {
    const server = await startRedisServer({ password: 'open-sesame' });
    const { modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');
    expect(modes).toStrictEqual(['redis']);
  });

  it('is never written or returned, right or wrong, with the server up or down', async () => {
    const output: unknown[] = [];
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      const spy = vi.spyOn(console, method).mockImplementation((...words) => void output.push(words));
      onTestFinished(() => spy.mockRestore());
    }
    const server = await startRedisServer({ password: 'right-password' });
    const wrong = createUnderTest(server.url.replace('right', 'wrong'));
    await becomes(wrong.modes, 'degraded');
    output.push(wrong.limiter.describe(), await wrong.limiter.consume(TEN_PER_MINUTE));
    expect(wrong.limiter.describe().detail).toContain('(WRONGPASS)');

    const right = createUnderTest(server.url);
    output.push(right.limiter.describe());
    await becomes(right.modes, 'redis');
    output.push(right.limiter.describe());
    await server.signal('SIGKILL');
    await becomes(right.modes, 'degraded');
    output.push(right.limiter.describe(), await right.limiter.consume(TEN_PER_MINUTE));

    expect(JSON.stringify(output)).not.toMatch(/password|127\.0\.0\.1/);
  });
});

describe('a closed limiter', () => {
  it('leaves no connection, reports no change and still counts', async () => {
    const server = await startRedisServer();
    const admin = connect(server.url);
    const { limiter, modes } = createUnderTest(server.url);
    await becomes(modes, 'redis');
    const before = await countClients(admin);
    await limiter.close();
    await vi.waitFor(async () => expect(await countClients(admin)).toBe(before - 1));
    expect(before).toBe(2);
    expect(await limiter.consume(TEN_PER_MINUTE)).toMatchObject({ allowed: true, remaining: 9 });
    expect(modes).toStrictEqual(['redis']);
  });
});

function createUnderTest(
  url: string,
  timeoutMs = TIMEOUT_MS,
): { readonly limiter: RunningLimiter; readonly modes: readonly LimiterMode[] } {
  const modes: LimiterMode[] = [];
  const limiter = createRedisLimiter({
    url,
    timeoutMs,
    nowMs: () => performance.now(),
    onModeChange: (mode) => modes.push(mode),
  });
  onTestFinished(() => limiter.close());
  return { limiter, modes };
}

function connect(url: string): Redis {
  const redis = new Redis(url);
  // The server ends before this connection does.
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function becomes(modes: readonly LimiterMode[], mode: LimiterMode): Promise<void> {
  await vi.waitFor(() => expect(modes.at(-1)).toBe(mode), { timeout: 8000, interval: 5 });
}

type Timed = { readonly verdict: LimitVerdict | undefined; readonly ms: number };

async function timed(limiter: Limiter, upload: LimitedUpload): Promise<Timed> {
  const startedAt = performance.now();
  const verdict = await limiter.consume(upload);
  return { verdict, ms: performance.now() - startedAt };
}

function slowest(results: readonly Timed[]): number {
  return Math.max(...results.map(({ ms }) => ms));
}

async function countClients(admin: Redis): Promise<number> {
  return Number(/connected_clients:(\d+)/.exec(await admin.info('clients'))?.[1]);
}

async function countConnections(admin: Redis): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
}
