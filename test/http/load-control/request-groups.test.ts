import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from '../../../src/http/load-control/request-groups.ts';

/** Turns on a clock that stands still until it is moved. */
function turnsOnClock() {
  let now = 5_000;
  const turns = createTurns(() => now);
  const work = (ms: number) => {
    now += ms;
  };
  return { turns, work };
}

it('lets all who have come go on together, step by step', async () => {
  const { turns } = turnsOnClock();
  const order: string[] = [];
  const pass = async (name: string) => {
    await turns.take();
    order.push(`${name} works`);
    await undefined;
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
  void turns.take().then(() => {
    isOver = true;
  });
  await setImmediate();
  expect(isOver).toBe(true);
});

it('lets no more than 64 go on in one turn of the event loop, in the order in which they came, with turns between', async () => {
  const { turns } = turnsOnClock();
  const gone: number[] = [];
  for (let index = 0; index < 150; index++) void turns.take().then(() => gone.push(index));
  const perTurn: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    await setImmediate();
    perTurn.push(gone.length);
  }
  expect(perTurn).toStrictEqual([...Array(9).fill(64), ...Array(9).fill(128), 150, 150]);
  expect(gone).toStrictEqual(gone.map((_, index) => index));
});

it('says how long one has waited, behind others too', async () => {
  const { turns, work } = turnsOnClock();
  const first = Array.from({ length: 64 }, () => turns.take());
  const behind = turns.take();
  work(10);
  const alsoBehind = turns.take();
  void first[0]?.then(() => work(20));
  expect(await Promise.all(first)).toStrictEqual(first.map(() => 10));
  expect(await Promise.all([behind, alsoBehind])).toStrictEqual([30, 30]);
  expect(await turns.take()).toBe(0);
});
