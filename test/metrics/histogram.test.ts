import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { registerHistogram } from '../../src/metrics/histogram.ts';

const NAME = 'seconds';
const HELP = 'How long it took.';
const BOUNDS = [0.001, 0.0025, 0.5, 1, 10];

/** On each bound, just below and above it, and below and above all of them. */
const VALUES = [0, ...BOUNDS.flatMap((bound) => [bound, bound - 1e-9, bound + 1e-9]), 1000];

/** The lines of a text, each with its labels in the order of their names. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line.replace(/\{(.*)\}/, (_all, labels: string) => `{${labels.split(',').sort().join(',')}}`),
    );
}

it('renders the same text as the histogram of prom-client', async () => {
  const [own, theirs] = [new Registry(), new Registry()];
  const series = registerHistogram({ name: NAME, help: HELP, bounds: BOUNDS, registry: own });
  const histogram = new Histogram({
    name: NAME,
    help: HELP,
    buckets: BOUNDS,
    labelNames: ['route', 'status'],
    registers: [theirs],
  });
  for (const labels of [
    { route: '/v1/uploads', status: 201 },
    { route: 'a "quoted" \\ route', status: 503 },
  ]) {
    const { observe } = series(labels);
    for (const value of VALUES) {
      observe(value);
      histogram.observe(labels, value);
    }
  }
  series({ route: '/never', status: 500 });
  histogram.zero({ route: '/never', status: 500 });
  expect(linesOf(await own.metrics())).toStrictEqual(linesOf(await theirs.metrics()));
});

it('has a series without labels', async () => {
  const registry = new Registry();
  registerHistogram({ name: NAME, help: HELP, bounds: [1], registry })({}).observe(0.5);
  expect((await registry.metrics()).split('\n')).toStrictEqual([
    '# HELP seconds How long it took.',
    '# TYPE seconds histogram',
    'seconds_bucket{le="1"} 1',
    'seconds_bucket{le="+Inf"} 1',
    'seconds_sum 0.5',
    'seconds_count 1',
    '',
  ]);
});
