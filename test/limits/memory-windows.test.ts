import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/grants/ports/limiter.ts';
import { createMemoryWindows } from '../../src/limits/memory-windows.ts';

const [REQUESTS, BYTES] = LIMITS;

it('a window ends after 60 s', () => {
  const windows = createMemoryWindows(REQUESTS, 10);
  const at = (nowMs: number) => windows.count('alice', 1, 1, nowMs);
  expect([at(1000), at(60_999), at(61_000)]).toMatchObject([
    { allowed: true, resetInSeconds: 60 },
    { allowed: false, resetInSeconds: 1 },
    { allowed: true, resetInSeconds: 60 },
  ]);
});

it('keeps at most the maximum number of windows', () => {
  const windows = createMemoryWindows(REQUESTS, 100);
  for (let caller = 0; caller < 1000; caller += 1) windows.count(`caller ${caller}`, 1, 1, 0);
  expect(windows.size()).toBe(100);
});

it('a rejected upload takes no memory', () => {
  const windows = createMemoryWindows(BYTES, 100);
  windows.count('alice', 100, 101, 0);
  expect(windows.size()).toBe(0);
});

it('frees memory after a burst', () => {
  const windows = createMemoryWindows(REQUESTS, 100_000);
  for (let caller = 0; caller < 1000; caller += 1) windows.count(`caller ${caller}`, 1, 1, 0);
  for (let minute = 1; minute <= 1000; minute += 1) windows.count('alice', 1, 1, minute * 60_000);
  expect(windows.size()).toBe(1);
});

it('counts any callers, amounts, limits and pauses as a complete list does', () => {
  const step = fc.record({
    caller: fc.constantFrom('alice', 'bob', 'carol'),
    limit: fc.integer({ min: 1, max: 20 }),
    amount: fc.integer({ min: 0, max: 10 }),
    pauseMs: fc.constantFrom(0, 1, 999, 20_000, 59_999, 60_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const windows = createMemoryWindows(REQUESTS, 3);
      const counted: { caller: string; beganAt: number; amount: number }[] = [];
      let nowMs = 0;
      for (const { caller, limit, amount, pauseMs } of steps) {
        nowMs += pauseMs;
        const open = counted.filter((one) => one.caller === caller && nowMs - one.beganAt < 60_000);
        const used = open.reduce((sum, one) => sum + one.amount, 0);
        const beganAt = open[0]?.beganAt ?? nowMs;
        const allowed = used + amount <= limit;
        if (allowed) counted.push({ caller, beganAt, amount });
        expect(windows.count(caller, limit, amount, nowMs)).toStrictEqual({
          allowed,
          limitedBy: 'requestsPerMinute',
          limit,
          remaining: Math.max(0, limit - used - (allowed ? amount : 0)),
          resetInSeconds: Math.ceil((beganAt + 60_000 - nowMs) / 1000),
        });
      }
    }),
  );
});
