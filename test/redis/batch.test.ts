import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestApp } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** A limiter that times out counts in memory. */
const PATIENT_MS = 15_000;

/** Replicas of one service, which count in one server. */
async function replicasOf(count: number, limits: object, flags: { readonly isCluster?: boolean } = {}) {
  const server = await startRedisServer(flags);
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const issuer = createTestIssuer();
  const policyYaml = policyWith({ rules: [ownFilesRule({ limits })] });
  const authorization = `Bearer ${await issuer.sign()}`;
  const replicas = await Promise.all(
    Array.from({ length: count }, async () => {
      const modes: string[] = [];
      const limiter = createRedisLimiter({
        url: server.url,
        nowMs: () => performance.now(),
        timeoutMs: PATIENT_MS,
        onModeChange: (mode) => void modes.push(mode),
      });
      onTestFinished(() => limiter.close());
      await vi.waitFor(() => expect(modes).toStrictEqual(['redis']), PATIENT_MS);
      const { app } = await createTestApp({ policyYaml, issuer, limiter });
      const send = (url: string, payload: object) =>
        app.inject({ method: 'POST', url, headers: { authorization }, payload });
      return {
        modes,
        upload: async () => (await send('/v1/uploads', PHOTO)).statusCode,
        /** The status of each item. */
        async batch(lengths: readonly number[]): Promise<readonly number[]> {
          const items = lengths.map((contentLength, index) => ({
            ...{ ...PHOTO, key: `users/alice/${index}.png`, contentLength },
          }));
          const response = await send('/v1/uploads/batch', { items });
          return response.json().items.map(({ status }: { readonly status: number }) => status);
        },
      };
    }),
  );
  return {
    replicas,
    /** How often the script that counts ran since the last time. */
    async calls(): Promise<number> {
      const stats = await admin.info('commandstats');
      await admin.config('RESETSTAT');
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    },
  };
}

const HUNDRED = Array<number>(100).fill(1);
/** The statuses of 100 items of which the first ones are granted. */
const firstGranted = (count: number) => HUNDRED.map((_, index) => (index < count ? 201 : 429));
const grantedOf = (statuses: readonly number[]) => statuses.filter((status) => status === 201).length;

it('of 100 items with 37 left the first 37 are granted, by one call', async () => {
  const { replicas, calls } = await replicasOf(2, { requestsPerMinute: 40 });
  const [one, other] = replicas;
  for (const replica of [one, other, one]) expect(await replica?.upload()).toBe(201);
  await calls();
  expect(await one?.batch(HUNDRED)).toStrictEqual(firstGranted(37));
  expect(await calls()).toBe(1);
  expect(await other?.batch(HUNDRED)).toStrictEqual(firstGranted(0));
  expect(replicas.map(({ modes }) => modes)).toStrictEqual([['redis'], ['redis']]);
});

it('two batches that race at two replicas get exactly the limit, each its first items', async () => {
  const { replicas, calls } = await replicasOf(2, { requestsPerMinute: 137 });
  await calls();
  const both = await Promise.all(replicas.map(({ batch }) => batch(HUNDRED)));
  const granted = both.map(grantedOf);
  expect(granted.reduce((sum, count) => sum + count)).toBe(137);
  expect(both).toStrictEqual(granted.map(firstGranted));
  expect(await calls()).toBe(2);
});

it('two batches that race at one replica get exactly the limit, each its first items', async () => {
  const { replicas } = await replicasOf(1, { requestsPerMinute: 137 });
  const both = await Promise.all([replicas[0]?.batch(HUNDRED) ?? [], replicas[0]?.batch(HUNDRED) ?? []]);
  const granted = both.map(grantedOf);
  expect(granted.reduce((sum, count) => sum + count)).toBe(137);
  expect(both).toStrictEqual(granted.map(firstGranted));
});

it('items that fit into the bytes left are granted after one that does not', async () => {
  const { replicas } = await replicasOf(1, { bytesPerDay: '10B' });
  expect(await replicas[0]?.batch([4, 7, 6, 1, 0])).toStrictEqual([201, 429, 201, 429, 201]);
});

it('a cluster, which counts one item per call, is exact too', async () => {
  const { replicas } = await replicasOf(1, { requestsPerMinute: 37 }, { isCluster: true });
  expect(await replicas[0]?.batch(HUNDRED)).toStrictEqual(firstGranted(37));
});
