import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRequestGroups } from '../../../src/http/load-control/request-groups.ts';

/** Request groups on a clock that stands still until the test moves it. */
function createGroupsOnManualClock() {
  let now = 5_000;
  const groups = createRequestGroups(() => now);
  const work = (ms: number) => {
    now += ms;
  };
  return { groups, work };
}

it('processes all requests that have arrived together, step by step', async () => {
  const { groups } = createGroupsOnManualClock();
  const order: string[] = [];
  const request = async (name: string) => {
    await groups.join();
    order.push(`${name} works`);
    await undefined;
    order.push(`${name} responds`);
  };
  const all = Promise.all([request('a'), request('b'), request('c')]);
  expect(order).toStrictEqual([]);
  await all;
  expect(order).toStrictEqual(['a works', 'b works', 'c works', 'a responds', 'b responds', 'c responds']);
});

it('does not wait for requests that have not arrived', async () => {
  const { groups } = createGroupsOnManualClock();
  let hasStarted = false;
  void groups.join().then(() => {
    hasStarted = true;
  });
  await setImmediate();
  expect(hasStarted).toBe(true);
});

it('starts groups of at most 64 in the order of arrival, with idle event-loop turns between them', async () => {
  const { groups } = createGroupsOnManualClock();
  const started: number[] = [];
  for (let index = 0; index < 150; index++) void groups.join().then(() => started.push(index));
  const startedByTurn: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    await setImmediate();
    startedByTurn.push(started.length);
  }
  expect(startedByTurn).toStrictEqual([...Array(9).fill(64), ...Array(9).fill(128), 150, 150]);
  expect(started).toStrictEqual(started.map((_, index) => index));
});

it('returns how long a request has waited, also behind another group', async () => {
  const { groups, work } = createGroupsOnManualClock();
  const first = Array.from({ length: 64 }, () => groups.join());
  const behind = groups.join();
  work(10);
  const alsoBehind = groups.join();
  void first[0]?.then(() => work(20));
  expect(await Promise.all(first)).toStrictEqual(first.map(() => 10));
  expect(await Promise.all([behind, alsoBehind])).toStrictEqual([30, 30]);
  expect(await groups.join()).toBe(0);
});
