import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import type { LimiterMode } from '../../src/limits/running-limiter.ts';
import { anUpload, countAllowed } from '../support/limiter.contract.ts';
import { findFreePort, startRedisServer } from '../support/redis-server.ts';
import { startRedisCluster, startRedisGroup } from './groups.ts';

/** A failover takes up to 10 s on a busy machine. */
const PATIENT = { timeout: 30_000, interval: 20 };
const TEST_TIMEOUT_MS = 90_000;

const TEN = { requestsPerMinute: 10, bytesPerDay: 1_000 };

function createUnderTest(url: string, timeoutMs = 15_000) {
  const modes: LimiterMode[] = [];
  const limiter = createRedisLimiter({
    url,
    nowMs: () => performance.now(),
    timeoutMs,
    onModeChange: (mode) => void modes.push(mode),
  });
  onTestFinished(() => limiter.close());
  const becomes = (mode: LimiterMode) => vi.waitFor(() => expect(modes.at(-1)).toBe(mode), PATIENT);
  const consume = (subject: string) => limiter.consume(anUpload({ subject, bytes: 1, limits: TEN }));
  return { limiter, modes, becomes, consume };
}

const callers = Array.from({ length: 30 }, (_, index) => `caller ${index}`);

it(
  'a cluster counts exactly, each caller on the node that has its slot',
  async () => {
    const { url, masters } = await startRedisCluster();
    const replicas = [createUnderTest(url), createUnderTest(url)];
    for (const replica of replicas) await replica.becomes('redis');
    const verdicts = await Promise.all(
      callers.flatMap((caller) =>
        Array.from({ length: 15 }, (_, index) => replicas[index % 2]?.consume(caller)),
      ),
    );
    expect(countAllowed(verdicts)).toBe(10 * callers.length);
    for (const { port } of masters) {
      const admin = new Redis(port, '127.0.0.1', { password: 'open-sesame' });
      onTestFinished(() => admin.disconnect());
      expect(await admin.dbsize()).toBeGreaterThan(2);
    }
    expect(replicas.map(({ modes }) => modes)).toStrictEqual([['redis'], ['redis']]);
  },
  TEST_TIMEOUT_MS,
);

it(
  'a cluster that loses a master is used again when its replica has taken over',
  async () => {
    const { url, masters } = await startRedisCluster({ replicas: 1 });
    const { becomes, consume, modes } = createUnderTest(url, 500);
    await becomes('redis');
    await masters[1]?.signal('SIGKILL');
    const during = await Promise.all(callers.map(consume));
    expect(countAllowed(during)).toBe(callers.length);
    // Until the replica has taken over, the cluster rejects all counts, or those of the lost slots.
    await vi.waitFor(async () => {
      await Promise.all(callers.map((caller) => consume(`${caller} again`)));
      expect(modes.at(-1)).toBe('redis');
    }, PATIENT);
    const fresh = callers.map((caller) => `${caller} afterwards`);
    const verdicts = await Promise.all(
      fresh.flatMap((caller) => Array.from({ length: 12 }, () => consume(caller))),
    );
    expect(countAllowed(verdicts)).toBe(10 * fresh.length);
    expect(modes.at(-1)).toBe('redis');
  },
  TEST_TIMEOUT_MS,
);

it(
  'an unreachable cluster, or one that rejects the password, is not used, and the cause is reported',
  async () => {
    const { url } = await startRedisCluster();
    const port = await findFreePort();
    await expectDegraded([
      [`redis+cluster://:TheSecret@127.0.0.1:${port}`, /\(no node of the cluster can be reached\); counting/],
      [url.replace('open-sesame', 'TheSecret'), /\(WRONGPASS\); counting/],
      [url.replace(':open-sesame@', ''), /\(NOAUTH\); counting/],
    ]);
  },
  TEST_TIMEOUT_MS,
);

it(
  'sentinels report the master, and later the replica that takes over from it',
  async () => {
    const { url, master, replica } = await startRedisGroup();
    const { becomes, consume, modes, limiter } = createUnderTest(url, 500);
    await becomes('redis');
    await consume('alice');
    expect(await keysOf(master.port)).toHaveLength(2);

    await master.signal('SIGKILL');
    await becomes('degraded');
    expect(await consume('alice')).toMatchObject({ allowed: true });
    await becomes('redis');
    const verdicts = await Promise.all(Array.from({ length: 15 }, () => consume('bob')));
    expect(countAllowed(verdicts)).toBe(10);
    expect((await keysOf(replica.port)).length).toBeGreaterThanOrEqual(2);
    expect(modes).toStrictEqual(['redis', 'degraded', 'redis']);
    expect(limiter.describe().detail).toBe('in Redis');
  },
  TEST_TIMEOUT_MS,
);

it(
  'a group that the sentinels do not report is not used, and the cause is reported',
  async () => {
    const { url } = await startRedisGroup();
    await expectDegraded([
      [url.replace('sentinel-password', 'TheSecret'), /\((WRONGPASS|NOAUTH)\); counting/],
      [url.replace(/\?.*$/, ''), /\(NOAUTH\); counting/],
      [url.replace('open-sesame', 'TheSecret'), /\(WRONGPASS\); counting/],
      [
        url.replace('/mymaster', '/TheSecret'),
        /\(the sentinels do not know a group of servers with this name\); counting/,
      ],
      [url.replace('/mymaster', '/mymaster/99'), /\(the server has no such database\); counting/],
      [url.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:1'), /\(no sentinel can be reached\); counting/],
    ]);
  },
  TEST_TIMEOUT_MS,
);

/** Each address degrades with this cause, counts in memory, and writes nothing to the console. */
async function expectDegraded(cases: readonly (readonly [url: string, detail: RegExp])[]): Promise<void> {
  const output: unknown[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const spy = vi.spyOn(console, method).mockImplementation((...words) => void output.push(words));
    onTestFinished(() => spy.mockRestore());
  }
  await Promise.all(
    cases.map(async ([url, detail]) => {
      const { limiter, becomes, consume, modes } = createUnderTest(url, 500);
      await becomes('degraded');
      expect(await consume('alice')).toMatchObject({ allowed: true, remaining: 9 });
      await vi.waitFor(() => expect(limiter.describe().detail).toMatch(detail), PATIENT);
      expect(modes).toStrictEqual(['degraded']);
    }),
  );
  expect(output).toStrictEqual([]);
}

it(
  'one node of a cluster, named as a server, is not used once it has rejected a caller',
  async () => {
    const { url, masters } = await startRedisCluster();
    const node = `redis://${url.slice('redis+cluster://'.length).split('@')[0]}@127.0.0.1:${masters[0]?.port}/0`;
    const { limiter, consume, modes } = createUnderTest(node, 500);
    const admin = new Redis(node);
    onTestFinished(() => admin.disconnect());
    const connectionsReceived = async () =>
      Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
    for (let round = 0; round < 4; round += 1) {
      const verdicts = await Promise.all(callers.map((caller) => consume(`${caller} ${round}`)));
      expect(countAllowed(verdicts)).toBe(callers.length);
      const received = await connectionsReceived();
      await vi.waitFor(async () => expect(await connectionsReceived()).toBeGreaterThan(received), PATIENT);
    }
    expect(modes.filter((mode) => mode === 'redis').length).toBeLessThanOrEqual(1);
    expect(limiter.describe().detail).toBe(
      'degraded: Redis unreachable (the server is a node of a cluster, which needs redis+cluster://); counting in memory on this replica only',
    );
  },
  TEST_TIMEOUT_MS,
);

it('a database that the server does not have is never replaced by database 0', async () => {
  const { url, port } = await startRedisServer();
  const { limiter, becomes, consume, modes } = createUnderTest(url.replace(/\/0$/, '/99'));
  await becomes('degraded');
  for (let request = 0; request < 3; request += 1) await consume('alice');
  expect(limiter.describe().detail).toBe(
    'degraded: Redis unreachable (the server has no such database); counting in memory on this replica only',
  );
  expect(await keysOf(port, undefined)).toStrictEqual([]);
  expect(modes).toStrictEqual(['degraded']);
});

it('a database that the server has is used, and no other', async () => {
  const { url, port } = await startRedisServer();
  const { becomes, consume } = createUnderTest(url.replace(/\/0$/, '/15'));
  await becomes('redis');
  await consume('alice');
  expect(await keysOf(port, undefined)).toStrictEqual([]);
  expect(await keysOf(port, undefined, 15)).toHaveLength(2);
});

async function keysOf(
  port: number,
  password: string | undefined = 'open-sesame',
  db = 0,
): Promise<readonly string[]> {
  const admin = new Redis(port, '127.0.0.1', { db, ...(password !== undefined && { password }) });
  try {
    return (await admin.keys('*')).filter((key) => !key.includes('trial'));
  } finally {
    admin.disconnect();
  }
}
