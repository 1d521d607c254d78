import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from '../../src/http/turns.ts';

/** Turns on a clock that stands still until it is moved. */
function turnsOnClock({ maxWaitMs = 1_000 } = {}) {
  let now = 5_000;
  const turns = createTurns({ monotonicMs: () => now, maxWaitMs });
  return {
    turns,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

it('lets all who come in one turn go on together, at its end', async () => {
  const { turns } = turnsOnClock();
  const order: string[] = [];
  const pass = async (name: string) => {
    await turns().end;
    order.push(`${name} works`);
    await turns().end;
    order.push(`${name} answers`);
  };
  const all = Promise.all([pass('a'), pass('b'), pass('c')]);
  expect(order).toStrictEqual([]);
  await all;
  expect(order).toStrictEqual(['a works', 'b works', 'c works', 'a answers', 'b answers', 'c answers']);
});

it('does not wait for those who have not come', async () => {
  const { turns } = turnsOnClock();
  let isOver = false;
  void turns().end.then(() => {
    isOver = true;
  });
  await setImmediate();
  expect(isOver).toBe(true);
});

it.each([
  [0, true],
  [1_000, true],
  [1_001, false],
])('after %s ms, whoever came in this turn is in time: %s', (ms, isInTime) => {
  const { turns, wait } = turnsOnClock();
  const first = turns();
  wait(ms);
  for (const turn of [first, turns()]) {
    if (isInTime) expect(turn.assertInTime).not.toThrow();
    else expect(turn.assertInTime).toThrow('more requests than it can answer');
  }
});

it('refuses with what tells a client when to come again', () => {
  const { turns, wait } = turnsOnClock();
  const turn = turns();
  wait(1_001);
  expect(turn.assertInTime).toThrow(
    expect.objectContaining({ code: 'unavailable', headers: { 'Retry-After': '1' } }),
  );
});

it('of more than can be done in time, does what can be done and refuses the rest', async () => {
  const { turns, wait } = turnsOnClock({ maxWaitMs: 100 });
  const answers = Array.from({ length: 10 }, async () => {
    const turn = turns();
    await turn.end;
    turn.assertInTime();
    wait(30);
  });
  const results = await Promise.allSettled(answers);
  expect(results.map(({ status }) => status)).toStrictEqual([
    ...Array(4).fill('fulfilled'),
    ...Array(6).fill('rejected'),
  ]);
});

it('begins anew with the next turn: what was slow before counts no more', async () => {
  const { turns, wait } = turnsOnClock();
  const slow = turns();
  wait(60_000);
  expect(slow.assertInTime).toThrow();
  await slow.end;
  expect(turns().assertInTime).not.toThrow();
});
