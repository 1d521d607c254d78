import { expect, it } from 'vitest';
import { createMemoryLimiter, type MemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { anUpload, describeLimiterContract } from '../support/limiter.contract.ts';

describeLimiterContract('the memory limiter', async () => createUnderTest());

it('is ready and says where it counts', () => {
  const { limiter } = createUnderTest();
  expect(limiter.describe()).toStrictEqual({ ok: true, detail: 'in memory' });
});

it('answers at once, with both bounds counted', () => {
  const { limiter } = createUnderTest();
  const upload = anUpload({ bytes: 60, limits: { requestsPerMinute: 3, bytesPerDay: 100 } });
  const state = { limitedBy: 'bytesPerDay', limit: 100, remaining: 40, resetInSeconds: 86_400 };
  expect(limiter.consume(upload)).toStrictEqual({ ...state, allowed: true });
  expect(limiter.consume(upload)).toStrictEqual({ ...state, allowed: false });
});

it('forgets the windows that began first, and only those, when there are too many', () => {
  const { limiter } = createUnderTest(100);
  const consume = (subject: number) =>
    limiter.consume(anUpload({ subject: String(subject), limits: { requestsPerMinute: 1 } }))?.allowed;
  for (let subject = 0; subject <= 100; subject += 1) consume(subject);

  // Asked from the last on, since the one that is forgotten begins anew, and takes the place of another.
  const remembered = [];
  for (let subject = 100; subject >= 1; subject -= 1) remembered.push(consume(subject));
  expect(remembered).toStrictEqual(Array(100).fill(false));
  expect(consume(0)).toBe(true);
});

it('counts a window that began anew among the latest', async () => {
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
