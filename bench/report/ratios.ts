import type { ContenderName } from '../contenders.ts';
import type { RequestSample } from '../measure/measure-requests.ts';
import type { Callers } from '../measure/request-loads.ts';
import type { Measurements } from '../measurements.ts';
import { median } from './median.ts';

/** The meaning of each ratio. Higher is better in all of them. */
export const RATIOS = {
  warm: 'requests per CPU second, RS256, one caller: oss-presign ÷ bare Fastify',
  cold: 'the same, each token seen once: oss-presign ÷ bare Fastify',
  manyCallers: 'requests per CPU second, RS256: 10,000 callers ÷ one caller',
  typescriptPeer: 'requests per CPU second, RS256, one caller: oss-presign ÷ TypeScript peer',
  goPeer: 'requests per CPU second, RS256, one caller: oss-presign ÷ Go peer',
  valkey: 'requests per second, RS256, one caller: oss-presign with limits in Valkey or Redis ÷ bare Fastify',
  latency: 'p99 under full load, RS256, one caller: bare Fastify ÷ oss-presign',
  memory: 'memory under load, RS256, one caller: bare Fastify ÷ oss-presign',
  startUp: 'start-up to the first response: bare Fastify ÷ oss-presign',
  signing: 'time of a signature: `ali-oss` ÷ oss-presign',
  signingAws: 'time of a signature: `@aws-sdk/s3-request-presigner` ÷ oss-presign',
  signingGo: 'time of a signature: OSS Go SDK V2 ÷ oss-presign',
  downloads: 'time of 1,000 downloads in one request: 1,000 signatures of a PUT ÷ the request',
  batch: 'time of 100 uploads in one request: 100 decisions and signatures ÷ the request',
  signingMuch: 'time of a signature: base case ÷ 32 metadata headers and a key of 1,000 bytes',
} as const;

export type RatioName = keyof typeof RATIOS;
export type Ratios = Readonly<Partial<Record<RatioName, number>>>;

type Figure = (sample: RequestSample) => number;

/**
 * The ratios of what was measured; one whose figures are missing is left out. Figures are compared
 * within their round before the median is taken, so that a slow minute of the machine counts on
 * both sides.
 */
export function ratiosOf({ requests, signing, startUp }: Measurements): Ratios {
  const figures = (server: ContenderName, callers: Callers, figure: Figure) =>
    requests
      .filter(
        ({ server: of, load }) => of === server && load.callers === callers && load.algorithm === 'RS256',
      )
      .map(figure);
  const perSecond = (server: ContenderName, callers: Callers = 'one') =>
    figures(server, callers, ({ requestsPerSecond }) => requestsPerSecond);
  const perCpuSecond = (server: ContenderName, callers: Callers = 'one') =>
    figures(server, callers, (sample) => sample.requestsPerCpuSecond ?? sample.requestsPerSecond);
  const p99 = (server: ContenderName) => figures(server, 'one', ({ latencyMs }) => latencyMs.p99);
  const memory = (server: ContenderName) => figures(server, 'one', (sample) => sample.memory.underLoad);
  const started = (of: ContenderName) =>
    startUp.filter(({ server }) => server === of).map(({ milliseconds }) => milliseconds);
  const signed = (of: keyof (typeof signing)[number]) => signing.flatMap((sample) => sample[of] ?? []);

  const pairs: Readonly<Record<RatioName, readonly [readonly number[], readonly number[]]>> = {
    warm: [perCpuSecond('ours'), perCpuSecond('fastify')],
    cold: [perCpuSecond('ours', 'cold'), perCpuSecond('fastify')],
    manyCallers: [perCpuSecond('ours', 'many'), perCpuSecond('ours')],
    typescriptPeer: [perCpuSecond('ours'), perCpuSecond('typescript')],
    goPeer: [perCpuSecond('ours'), perCpuSecond('go')],
    // Waiting for the other server takes no time on a core, and counts all the same.
    valkey: [perSecond('valkey'), perSecond('fastify')],
    latency: [p99('fastify'), p99('ours')],
    memory: [memory('fastify'), memory('ours')],
    startUp: [started('fastify'), started('ours')],
    signing: [signed('aliOss'), signed('ours')],
    signingAws: [signed('aws'), signed('ours')],
    signingGo: [signed('go'), signed('ours')],
    downloads: [signed('ours').map((microseconds) => 1000 * microseconds), signed('downloadList')],
    batch: [signed('grant').map((microseconds) => 100 * microseconds), signed('uploadBatch')],
    signingMuch: [signed('ours'), signed('oursOfMuch')],
  };
  return Object.fromEntries(
    Object.entries(pairs)
      .map(([name, [over, under]]) => [
        name,
        median(over.map((value, at) => value / (under[at] ?? Number.NaN))),
      ])
      .filter(([, ratio]) => Number.isFinite(ratio)),
  );
}
