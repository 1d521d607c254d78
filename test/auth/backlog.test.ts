import { expect, it } from 'vitest';
import { createBacklog } from '../../src/auth/backlog.ts';
import { createHandClock } from '../support/hand-clock.ts';
import { refusalOf } from './refusal.ts';

const OVERLOADED = {
  code: 'unavailable',
  detail: 'The service has more requests than it can answer; try again.',
  errors: undefined,
  headers: { 'Retry-After': '1' },
};

function setUp() {
  const { clock, advance } = createHandClock();
  return { advance, backlog: createBacklog({ clock, maxWaitMs: 250 }) };
}

it('takes on a burst of any size', async () => {
  const { backlog } = setUp();
  const released = Promise.withResolvers<void>();
  const burst = Array.from({ length: 5_000 }, (_, index) =>
    backlog.run(async () => {
      await released.promise;
      return index;
    }),
  );
  released.resolve();
  expect(await Promise.all(burst)).toStrictEqual(Array.from({ length: 5_000 }, (_, index) => index));
});

it('refuses more while the oldest piece has waited too long, and takes on more once it is done', async () => {
  const { backlog, advance } = setUp();
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const oldest = backlog.run(() => first.promise);
  advance(100);
  const younger = backlog.run(() => second.promise);
  advance(150);
  expect(await backlog.run(async () => 'in time')).toBe('in time');
  advance(1);
  expect(await refusalOf(() => backlog.run(async () => 'too late'))).toStrictEqual(OVERLOADED);
  first.resolve('done');
  await oldest;
  expect(await backlog.run(async () => 'again')).toBe('again');
  advance(100);
  expect(await refusalOf(() => backlog.run(async () => 'too late'))).toStrictEqual(OVERLOADED);
  second.resolve('done');
  await younger;
});

it('counts what fails as done', async () => {
  const { backlog, advance } = setUp();
  await expect(backlog.run(() => Promise.reject(new Error('bad signature')))).rejects.toThrow(
    'bad signature',
  );
  advance(1_000);
  expect(await backlog.run(async () => 'again')).toBe('again');
});
