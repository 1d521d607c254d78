import { expect, it } from 'vitest';
import { createShare } from '../../../src/http/load-control/even-sampler.ts';

it.each([
  [0, 0],
  [0.1, 100],
  [0.25, 250],
  [0.9, 900],
  [1, 1000],
])('says yes to a share of %s, evenly spread', (share, expected) => {
  const refuses = createShare();
  const answers = Array.from({ length: 1000 }, () => refuses(share));
  expect(answers.filter(Boolean).length).toBeGreaterThanOrEqual(expected - 1);
  expect(answers.filter(Boolean).length).toBeLessThanOrEqual(expected);
  if (share === 0.25)
    expect(answers.slice(0, 8)).toStrictEqual([false, false, false, true, false, false, false, true]);
});
