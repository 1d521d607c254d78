import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from '../../src/http/turns.ts';

/** Turns on a clock that stands still until it is moved. */
function turnsOnClock() {
  let now = 5_000;
  const turns = createTurns(() => now);
  const work = (ms: number) => {
    now += ms;
  };
  return { turns, work };
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

it('knows how long a request waits until it is answered: while it is read, decided and answered', async () => {
  const { turns, work } = turnsOnClock();
  expect(turns.waitMs()).toBe(0);
  const pass = async () => {
    work(10);
    await turns.end();
    work(20);
    await turns.end();
    work(40);
  };
  await Promise.all([pass(), pass(), pass()]);
  // The first opens the turn; of reading, what comes after it counts.
  expect(turns.waitMs()).toBe(2 * 10 + 3 * 20 + 3 * 40);
});

it('forgets it as soon as a turn passes in which nobody waits', async () => {
  const { turns, work } = turnsOnClock();
  await turns.end();
  work(60_000);
  expect(turns.waitMs()).toBe(60_000);
  await setImmediate();
  expect(turns.waitMs()).toBe(0);
  work(60_000);
  expect(turns.waitMs()).toBe(0);
  void turns.end();
  expect(turns.waitMs()).toBe(0);
});
