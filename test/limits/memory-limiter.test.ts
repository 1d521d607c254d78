import { expect, it } from 'vitest';
import { createMemoryLimiter, type MemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { anUpload, describeLimiterContract } from '../support/limiter.contract.ts';

describeLimiterContract('the memory limiter', async () => createUnderTest());

it('is ready and describes where it counts', () => {
  const { limiter } = createUnderTest();
  expect(limiter.describe()).toStrictEqual({ ok: true, detail: 'in memory' });
});

it('returns at once, with both limits counted', () => {
  const { limiter } = createUnderTest();
  const upload = anUpload({ bytes: 60, limits: { requestsPerMinute: 3, bytesPerDay: 100 } });
  const state = { limitedBy: 'bytesPerDay', limit: 100, remaining: 40, resetInSeconds: 86_400 };
  expect(limiter.consume(upload)).toStrictEqual({ ...state, allowed: true });
  expect(limiter.consume(upload)).toStrictEqual({ ...state, allowed: false });
});

it('drops only the oldest windows if there are too many', () => {
  const { limiter } = createUnderTest(100);
  const consume = (subject: number) =>
    limiter.consume(anUpload({ subject: String(subject), limits: { requestsPerMinute: 1 } }))?.allowed;
  for (let subject = 0; subject <= 100; subject += 1) consume(subject);

  // Begin with the latest, because a dropped window begins again and displaces another one.
  const verdicts = [];
  for (let subject = 100; subject >= 1; subject -= 1) verdicts.push(consume(subject));
  expect(verdicts).toStrictEqual(Array(100).fill(false));
  expect(consume(0)).toBe(true);
});

it('counts a window that began again among the latest', async () => {
  const { limiter, passSeconds } = createUnderTest(10);
  const consume = (subject: string) =>
    limiter.consume(anUpload({ subject, limits: { requestsPerMinute: 1 } }));
  consume('alice');
  await passSeconds(61);
  for (let other = 0; other < 9; other += 1) consume(`before ${other}`);
  consume('alice');
  consume('one too many');
  expect(consume('alice')).toMatchObject({ allowed: false });
});

function createUnderTest(maxWindows?: number): {
  readonly limiter: MemoryLimiter;
  passSeconds(seconds: number): Promise<void>;
} {
  let nowMs = 5000;
  return {
    limiter: createMemoryLimiter({ nowMs: () => nowMs, ...(maxWindows !== undefined && { maxWindows }) }),
    passSeconds: async (seconds) => {
      nowMs += seconds * 1000;
    },
  };
}
