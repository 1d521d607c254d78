import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns, type Turns } from '../../src/http/turns.ts';

/** Turns on a clock that stands still until it is moved. */
function turnsOnClock({ maxWaitMs = 1_000 } = {}) {
  let now = 5_000;
  const late: number[] = [];
  const turns = createTurns({ monotonicMs: () => now, maxWaitMs, onLate: (turnMs) => late.push(turnMs) });
  return {
    turns,
    late,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

it('lets all who come in one turn go on together, at its end', async () => {
  const { turns } = turnsOnClock();
  const order: string[] = [];
  const pass = async (name: string) => {
    await turns.end();
    order.push(`${name} works`);
    await turns.end();
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
  void turns.end().then(() => {
    isOver = true;
  });
  await setImmediate();
  expect(isOver).toBe(true);
});

/** As many as are answered in each turn however late it is. */
const ALWAYS_ANSWERED = 32;
const arriveFirst = (turns: Turns) => Array.from({ length: ALWAYS_ANSWERED }, () => turns.arrive());

it.each([
  [0, true],
  [1_000, true],
  [1_001, false],
])('after %s ms, whoever came in this turn is in time: %s', (ms, isInTime) => {
  const { turns, wait } = turnsOnClock();
  arriveFirst(turns);
  const early = turns.arrive();
  wait(ms);
  for (const place of [early, turns.arrive()]) {
    if (isInTime) expect(place.assertInTime).not.toThrow();
    else expect(place.assertInTime).toThrow('more requests than it can answer');
  }
});

it('refuses with what tells a client when to come again', () => {
  const { turns, wait } = turnsOnClock();
  arriveFirst(turns);
  const place = turns.arrive();
  wait(1_001);
  expect(place.assertInTime).toThrow(
    expect.objectContaining({ code: 'unavailable', headers: { 'Retry-After': '1' } }),
  );
});

it('of more than can be done in time, does what can be done and refuses the rest', async () => {
  const { turns, wait } = turnsOnClock({ maxWaitMs: 1_000 });
  const answers = Array.from({ length: 100 }, async () => {
    const place = turns.arrive();
    await place.turnEnd;
    place.assertInTime();
    wait(20);
  });
  const results = await Promise.allSettled(answers);
  expect(results.map(({ status }) => status)).toStrictEqual([
    ...Array(51).fill('fulfilled'),
    ...Array(49).fill('rejected'),
  ]);
});

it('answers the first of each turn, however late it is', async () => {
  const { turns, wait } = turnsOnClock();
  for (let turn = 0; turn < 3; turn++) {
    const places = arriveFirst(turns);
    wait(60_000);
    for (const place of places) expect(place.assertInTime).not.toThrow();
    expect(turns.arrive().assertInTime).toThrow();
    await turns.end();
  }
});

it('begins anew with the next turn: what was slow before counts no more', async () => {
  const { turns, wait } = turnsOnClock();
  arriveFirst(turns);
  const slow = turns.arrive();
  wait(60_000);
  expect(slow.assertInTime).toThrow();
  await turns.end();
  arriveFirst(turns);
  expect(turns.arrive().assertInTime).not.toThrow();
});

it('tells of each turn that is late, once, and how late it is', async () => {
  const { turns, wait, late } = turnsOnClock();
  for (const ms of [1_000, 1_500, 2_000]) {
    arriveFirst(turns);
    const places = [turns.arrive(), turns.arrive()];
    wait(ms);
    await Promise.allSettled(places.map(async (place) => place.assertInTime()));
    await turns.end();
  }
  expect(late).toStrictEqual([1_500, 2_000]);
});
