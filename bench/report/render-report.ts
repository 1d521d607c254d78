import { CONTENDERS } from '../contenders.ts';
import type { RequestSample } from '../measure/measure-requests.ts';
import type { Callers } from '../measure/request-loads.ts';
import type { Measurements } from '../measurements.ts';
import { markdownTable } from './markdown-table.ts';
import { median } from './median.ts';
import { RATIOS, type RatioName, type Ratios } from './ratios.ts';
import { spreadPercent } from './spread.ts';

const CALLERS: Readonly<Record<Callers, string>> = {
  one: 'one',
  cold: '10,000, each token new',
  many: '10,000, seen before',
};

/** Renders the report in Markdown: a section for each measurement, and the ratios. */
export function renderReport(measurements: Measurements, ratios: Ratios, remarks: readonly string[]): string {
  const { requests, signing, startUp } = measurements;
  return [
    remarks.join('\n\n'),
    ...(requests.length > 0
      ? ['## Requests', requestsTable(requests), '## Memory', memoryTable(requests)]
      : []),
    ...(signing.length > 0 ? ['## Signing alone', signingTable(signing)] : []),
    ...(startUp.length > 0 ? ['## Start-up to the first response', startUpTable(startUp)] : []),
    '## Ratios',
    'More is better. Each is the median of the ratios of the rounds.',
    ratiosTable(ratios),
  ].join('\n\n');
}

function requestsTable(samples: readonly RequestSample[]): string {
  const fastify = groupBy(samples, ({ server }) => server).get('fastify') ?? [];
  const rows = [
    ...groupBy(samples, ({ server, load }) => `${server} ${load.algorithm} ${load.callers}`).values(),
  ];
  return markdownTable(
    [
      'server',
      'tokens',
      'callers',
      'requests/s:',
      '±:',
      'of bare Fastify:',
      'per CPU second:',
      'p50 ms:',
      'p99 ms:',
      'p99.9 ms:',
      'generator:',
    ],
    rows.map((group) => {
      const [{ server, load }] = group as [RequestSample];
      const figure = (of: (sample: RequestSample) => number) => median(group.map(of));
      const perSecond = group.map(({ requestsPerSecond }) => requestsPerSecond);
      const ofFastify = perSecond.map((value, at) => value / (fastify[at]?.requestsPerSecond ?? Number.NaN));
      const isStatic = server === 'node-http' || server === 'fastify';
      return [
        CONTENDERS[server],
        isStatic ? 'not looked at' : load.algorithm,
        CALLERS[load.callers],
        Math.round(median(perSecond)).toLocaleString('en'),
        `${spreadPercent(perSecond).toFixed(0)} %`,
        median(ofFastify).toFixed(2),
        figure((sample) => sample.requestsPerCpuSecond ?? Number.NaN).toLocaleString('en', {
          maximumFractionDigits: 0,
        }),
        figure(({ latencyMs }) => latencyMs.p50).toFixed(2),
        figure(({ latencyMs }) => latencyMs.p99).toFixed(2),
        figure(({ latencyMs }) => latencyMs.p999).toFixed(2),
        `${(figure(({ generatorBusy }) => generatorBusy) * 100).toFixed(0)} %`,
      ];
    }),
  );
}

function memoryTable(samples: readonly RequestSample[]): string {
  const rows = [
    ...groupBy(
      samples.filter(({ load }) => load.algorithm === 'RS256'),
      ({ server }) => server,
    ),
  ];
  return markdownTable(
    ['server', 'at rest MiB:', 'under load of one caller MiB:', 'of 10,000 callers MiB:'],
    rows.map(([server, group]) => {
      const under = (callers: Callers) =>
        median(group.filter(({ load }) => load.callers === callers).map(({ memory }) => memory.underLoad));
      const figures = [median(group.map(({ memory }) => memory.atRest)), under('one'), under('many')];
      return [CONTENDERS[server], ...figures.map((mib) => (Number.isNaN(mib) ? '' : mib.toFixed(0)))];
    }),
  );
}

function signingTable(samples: Measurements['signing']): string {
  const ours = median(samples.map((sample) => sample.ours));
  const rows = [
    ['**oss-presign**', samples.map((sample) => sample.ours)],
    [
      '**oss-presign**, 32 metadata headers and a key of 1,000 bytes',
      samples.map((sample) => sample.oursOfMuch),
    ],
    ['**oss-presign**, a request for 1,000 downloads', samples.map((sample) => sample.downloadList)],
    ['**oss-presign**, decision, count, signature and id of an upload', samples.map(({ grant }) => grant)],
    ['**oss-presign**, a request for 100 uploads', samples.map(({ uploadBatch }) => uploadBatch)],
    ['`ali-oss` `signatureUrlV4`', samples.map((sample) => sample.aliOss)],
    ['`@aws-sdk/s3-request-presigner`', samples.map((sample) => sample.aws)],
    ['OSS Go SDK V2 `Presign`', samples.flatMap((sample) => sample.go ?? [])],
  ] as const;
  return markdownTable(
    ['signer', 'µs per signature:', '±:', 'of oss-presign:'],
    rows
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [
        name,
        median(values).toFixed(1),
        `${spreadPercent(values).toFixed(0)} %`,
        (median(values) / ours).toFixed(1),
      ]),
  );
}

function startUpTable(samples: Measurements['startUp']): string {
  return markdownTable(
    ['server', 'ms:', '±:'],
    [...groupBy(samples, ({ server }) => server)].map(([server, group]) => {
      const values = group.map(({ milliseconds }) => milliseconds);
      return [CONTENDERS[server], median(values).toFixed(0), `${spreadPercent(values).toFixed(0)} %`];
    }),
  );
}

function ratiosTable(ratios: Ratios): string {
  return markdownTable(
    ['name', 'what', 'ratio:'],
    (Object.entries(ratios) as [RatioName, number][]).map(([name, ratio]) => [
      `\`${name}\``,
      RATIOS[name],
      ratio.toFixed(2),
    ]),
  );
}

function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, readonly T[]> {
  return Map.groupBy(values, keyOf);
}
