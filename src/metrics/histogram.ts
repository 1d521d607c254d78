import type { Metric, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;

/** What was observed under the same labels. */
export type Series = {
  /** One comparison per bound that is lower, and two additions. */
  observe(value: number): void;
};

export type HistogramOptions = {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets, ascending; above the last there is always one more. */
  readonly bounds: readonly number[];
  readonly registry: Registry;
};

/**
 * Registers a histogram, and makes its series. Whoever observes keeps the series: prom-client's own histogram makes a text of the labels
 * and names of properties of the bounds for each observation, which for two of them is as much as a signature takes.
 */
export function registerHistogram({
  name,
  help,
  bounds,
  registry,
}: HistogramOptions): (labels: Labels) => Series {
  const all: { readonly labels: Labels; readonly counts: number[]; sum: number }[] = [];

  const metric = {
    name,
    get: async () => ({
      name,
      help,
      type: 'histogram',
      values: all.flatMap(({ labels, counts, sum }) => {
        let below = 0;
        const buckets = counts.map((count, index) => {
          below += count;
          return {
            metricName: `${name}_bucket`,
            labels: { le: bounds[index] ?? '+Inf', ...labels },
            value: below,
          };
        });
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: below },
        ];
      }),
    }),
  };
  // The registry asks a metric for no more than this, whatever its type says.
  registry.registerMetric(metric as unknown as Metric);

  return (labels) => {
    const counts: number[] = Array(bounds.length + 1).fill(0);
    const series = { labels, counts, sum: 0 };
    all.push(series);
    return {
      observe(value) {
        let index = 0;
        while (index < bounds.length && value > (bounds[index] as number)) index++;
        counts[index] = (counts[index] as number) + 1;
        series.sum += value;
      },
    };
  };
}
