import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createRedisLimiter } from '../../src/limits/redis-limiter.ts';
import type { LimiterMode } from '../../src/limits/running-limiter.ts';
import { anUpload, countAllowed } from '../support/limiter.contract.ts';
import { blockThread, startFakeRedis } from './fake-redis.ts';

/** Long enough for a server that has to wait for CPU time. */
const TIMEOUT_MS = 400;
const STALL_MS = 450;
/** For a server that never responds. */
const SHORT_TIMEOUT_MS = 50;
const UPLOAD = anUpload({ limits: { requestsPerMinute: 20 } });

async function createUnderTest(timeoutMs = TIMEOUT_MS) {
  const server = await startFakeRedis();
  const modes: LimiterMode[] = [];
  const reasons: (string | undefined)[] = [];
  const limiter = createRedisLimiter({
    url: server.url,
    nowMs: () => 0,
    timeoutMs,
    onModeChange: (mode, reason) => {
      modes.push(mode);
      reasons.push(reason);
    },
  });
  onTestFinished(() => limiter.close());
  await vi.waitFor(() => expect(modes).toStrictEqual(['redis']), { interval: 2, timeout: 10_000 });
  return { limiter, modes, reasons, hang: server.hang };
}

it('a used-up limit stays used up if this process is blocked before or after sending', async () => {
  const { limiter, modes } = await createUnderTest();
  const verdicts = [];
  for (let request = 0; request < 21; request += 1) verdicts.push(await limiter.consume(UPLOAD));
  expect(countAllowed(verdicts)).toBe(20);

  const beforeSending = limiter.consume(UPLOAD);
  blockThread(STALL_MS);
  const afterSending = limiter.consume(UPLOAD);
  await nextTurn();
  blockThread(STALL_MS);
  expect(await Promise.all([beforeSending, afterSending])).toMatchObject(
    Array(2).fill({ allowed: false, limit: 20, remaining: 0 }),
  );
  expect(modes).toStrictEqual(['redis']);
});

it('after the time-out of a server, this process counts in memory', async () => {
  const { limiter, modes, reasons, hang } = await createUnderTest(SHORT_TIMEOUT_MS);
  await hang();
  expect(await limiter.consume(UPLOAD)).toMatchObject({ allowed: true, remaining: 19 });
  expect(modes).toStrictEqual(['redis', 'degraded']);
  expect(limiter.describe().detail).toContain('(ETIMEDOUT)');
  expect(reasons).toStrictEqual([undefined, 'ETIMEDOUT']);
});

it('a server that hangs times out even if this process is blocked too', async () => {
  const { limiter, modes, hang } = await createUnderTest(SHORT_TIMEOUT_MS);
  await hang();
  const verdict = limiter.consume(UPLOAD);
  await nextTurn();
  blockThread(2 * SHORT_TIMEOUT_MS);
  expect(await verdict).toMatchObject({ allowed: true });
  expect(modes).toStrictEqual(['redis', 'degraded']);
});
