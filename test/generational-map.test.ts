import { expect, it } from 'vitest';
import { createGenerationalMap } from '../src/generational-map.ts';

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key ${index}`);

it('keeps the newest half at least, and never more than its size', () => {
  const map = createGenerationalMap<string>(10);
  const keys = keysOf(100);
  for (const [index, key] of keys.entries()) {
    map.set(key, key);
    const kept = keys.filter((one) => map.get(one) === one);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept).toStrictEqual(expect.arrayContaining(keys.slice(Math.max(0, index - 4), index + 1)));
  }
});

it('returns the newest value of a key, which counts once', () => {
  const map = createGenerationalMap<number>(4);
  for (let value = 0; value < 100; value += 1) map.set('same', value);
  map.set('other', 0);
  expect(map.get('same')).toBe(99);
  expect(map.isCurrent('same')).toBe(true);
});

it('counts an entry by its size', () => {
  const map = createGenerationalMap<string>(10);
  map.set('large', 'value', 4);
  expect([map.hasRoomFor(1), map.hasRoomFor(2)]).toStrictEqual([true, false]);
  map.set('next', 'value', 2);
  expect([map.isCurrent('large'), map.get('large')]).toStrictEqual([false, 'value']);
});

it('forgets a generation as a whole, the previous one first', () => {
  const map = createGenerationalMap<string>(10);
  map.set('first', 'value');
  map.startGeneration();
  map.set('second', 'value');
  expect(map.get('first')).toBe('value');
  map.startGeneration();
  expect([map.get('first'), map.get('second')]).toStrictEqual([undefined, 'value']);
});
