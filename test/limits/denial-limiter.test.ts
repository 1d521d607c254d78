import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDenialLimiter } from '../../src/limits/denial-limiter.ts';

const ALICE = { issuer: 'https://login.test/', subject: 'alice' };

function createUnderTest(options: { readonly maxCallers?: number; readonly denialsPerMinute?: number } = {}) {
  let nowMs = 5_000;
  return {
    limiter: createDenialLimiter({ nowMs: () => nowMs, ...options }),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('allows 600 denials in the minute that begins with the first one', () => {
  const { limiter, pass } = createUnderTest();
  const verdicts = Array.from({ length: 600 }, () => {
    expect(limiter.check(ALICE)).toBeUndefined();
    return limiter.count(ALICE);
  });
  expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
  expect(verdicts.at(-1)).toMatchObject({ remaining: 0, resetInSeconds: 60 });
  pass(20_000);
  const state = {
    allowed: false,
    limitedBy: 'requestsPerMinute',
    limit: 600,
    remaining: 0,
    resetInSeconds: 40,
  };
  expect(limiter.count(ALICE)).toStrictEqual(state);
  expect(limiter.check(ALICE)).toStrictEqual(state);
  pass(39_999);
  expect(limiter.check(ALICE)).toMatchObject({ resetInSeconds: 1 });
  pass(1);
  expect(limiter.check(ALICE)).toBeUndefined();
  expect(limiter.count(ALICE)).toMatchObject({ allowed: true, remaining: 599, resetInSeconds: 60 });
});

it('counts the same subject of another issuer separately', () => {
  const { limiter } = createUnderTest({ denialsPerMinute: 1 });
  limiter.count(ALICE);
  expect(limiter.check(ALICE)).toBeDefined();
  for (const other of [
    { issuer: 'https://other.test/', subject: 'alice' },
    { issuer: 'https://login.test/', subject: 'Alice' },
    { issuer: 'https://login.test/a', subject: 'lice' },
    { issuer: 'https://login.test', subject: '/alice' },
  ]) {
    expect(limiter.check(other), JSON.stringify(other)).toBeUndefined();
  }
});

it('tracks at most maxCallers callers, the latest ones', () => {
  const { limiter } = createUnderTest({ denialsPerMinute: 1, maxCallers: 100 });
  const caller = (index: number) => ({ ...ALICE, subject: String(index) });
  for (let index = 0; index < 1_000; index += 1) limiter.count(caller(index));
  const remembered = Array.from({ length: 1_000 }, (_, index) => index).filter((index) =>
    limiter.check(caller(index)),
  );
  expect(remembered).toStrictEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
});

it('rejects a caller only after the limit of denials in one minute', () => {
  const step = fc.record({
    subject: fc.constantFrom('alice', 'bob'),
    isDenial: fc.boolean(),
    pauseMs: fc.constantFrom(0, 1, 10_000, 59_999, 60_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { limiter, pass } = createUnderTest({ denialsPerMinute: 3 });
      const denials: { subject: string; beganAt: number }[] = [];
      let now = 0;
      for (const { subject, isDenial, pauseMs } of steps) {
        now += pauseMs;
        pass(pauseMs);
        const open = denials.filter((one) => one.subject === subject && now - one.beganAt < 60_000);
        expect(limiter.check({ ...ALICE, subject }) !== undefined).toBe(open.length >= 3);
        if (!isDenial) continue;
        expect(limiter.count({ ...ALICE, subject }).allowed).toBe(open.length < 3);
        if (open.length < 3) denials.push({ subject, beganAt: open[0]?.beganAt ?? now });
      }
    }),
  );
});
