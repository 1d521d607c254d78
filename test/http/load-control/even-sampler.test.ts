import { expect, it } from 'vitest';
import { createEvenSampler } from '../../../src/http/load-control/even-sampler.ts';

it.each([
  [0, 0],
  [0.1, 100],
  [0.25, 250],
  [0.9, 900],
  [1, 1000],
])('samples a share of %s, evenly spread', (share, expected) => {
  const isSampled = createEvenSampler();
  const results = Array.from({ length: 1000 }, () => isSampled(share));
  expect(results.filter(Boolean).length).toBeGreaterThanOrEqual(expected - 1);
  expect(results.filter(Boolean).length).toBeLessThanOrEqual(expected);
  if (share === 0.25)
    expect(results.slice(0, 8)).toStrictEqual([false, false, false, true, false, false, false, true]);
});
