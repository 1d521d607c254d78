import { describe, expect, it } from 'vitest';
import type { ContenderName } from '../../bench/contenders.ts';
import floor from '../../bench/floor.json' with { type: 'json' };
import type { RequestSample } from '../../bench/measure/measure-requests.ts';
import type { Callers } from '../../bench/measure/request-loads.ts';
import { belowFloor } from '../../bench/report/below-floor.ts';
import { RATIOS, ratiosOf } from '../../bench/report/ratios.ts';

function sample(
  round: number,
  server: ContenderName,
  requestsPerSecond: number,
  {
    callers = 'one' as Callers,
    algorithm = 'RS256' as const,
    p99 = 1,
    underLoad = 100,
    perCpuSecond = 0,
  } = {},
): RequestSample {
  return {
    ...{ round, server, requestsPerSecond, requests: 1, generatorBusy: 0.5, load: { algorithm, callers } },
    requestsPerCpuSecond: perCpuSecond || null,
    latencyMs: { p50: 1, p99, p999: 1 },
    memory: { underLoad, atRest: 50 },
  };
}

describe('ratiosOf', () => {
  it('compares within each round, and returns the median', () => {
    const requests = [
      ...[sample(1, 'fastify', 100), sample(1, 'ours', 50)],
      // A slow round for both: figures of different rounds would give 0.5 / 0.1.
      ...[sample(2, 'fastify', 10), sample(2, 'ours', 6)],
      ...[sample(3, 'fastify', 100), sample(3, 'ours', 70)],
    ];
    expect(ratiosOf({ requests, signing: [], startUp: [] }).warm).toBe(0.6);
  });

  it('is above 1 if oss-presign is better, also where less is better', () => {
    const requests = [
      sample(1, 'fastify', 100, { p99: 2, underLoad: 90 }),
      sample(1, 'ours', 80, { p99: 4, underLoad: 120 }),
      sample(1, 'ours', 40, { callers: 'cold' }),
      sample(1, 'ours', 60, { callers: 'many' }),
      sample(1, 'typescript', 10),
      sample(1, 'go', 20),
      sample(1, 'valkey', 50),
    ];
    const signing = [
      {
        ours: 2,
        oursOfMuch: 8,
        downloadList: 4000,
        grant: 5,
        uploadBatch: 800,
        aliOss: 100,
        aws: 50,
        go: 20,
      },
    ];
    const startUp = [
      { server: 'fastify', milliseconds: 150 },
      { server: 'ours', milliseconds: 300 },
    ] as const;
    expect(ratiosOf({ requests, signing, startUp })).toStrictEqual({
      ...{ warm: 0.8, cold: 0.4, manyCallers: 0.75, typescriptPeer: 8, goPeer: 4, valkey: 0.5 },
      ...{ latency: 0.5, memory: 0.75, startUp: 0.5 },
      ...{ signing: 50, signingAws: 25, signingGo: 10, downloads: 0.5, batch: 0.625, signingMuch: 0.25 },
    });
  });

  it('counts requests per CPU second, but elapsed time with Valkey', () => {
    const requests = [
      sample(1, 'fastify', 100, { perCpuSecond: 200 }),
      sample(1, 'ours', 80, { perCpuSecond: 100 }),
      sample(1, 'valkey', 30, { perCpuSecond: 90 }),
    ];
    const { warm, valkey } = ratiosOf({ requests, signing: [], startUp: [] });
    expect([warm, valkey]).toStrictEqual([0.5, 0.3]);
  });

  it('leaves out what was not measured', () => {
    const signing = [
      { ours: 2, oursOfMuch: 4, downloadList: 1000, grant: 5, uploadBatch: 1000, aliOss: 100, aws: 50 },
    ];
    expect(ratiosOf({ requests: [sample(1, 'ours', 80)], signing, startUp: [] })).toStrictEqual({
      signing: 50,
      signingAws: 25,
      downloads: 2,
      batch: 0.5,
      signingMuch: 0.5,
    });
  });
});

describe('belowFloor', () => {
  it('accepts a ratio at its floor, and ratios that have none', () => {
    expect(belowFloor({ warm: 0.7, signing: 30 }, { warm: 0.7 })).toStrictEqual([]);
  });

  it('names each ratio that is below its floor or was not measured', () => {
    expect(belowFloor({ warm: 0.6994 }, { warm: 0.7, cold: 0.3 })).toStrictEqual([
      'warm is 0.699, below its floor of 0.7',
      'cold has a floor of 0.3 and was not measured',
    ]);
  });
});

it('has floors only for ratios that are comparable between processors', () => {
  // Ratios to the speed of bare Fastify depend on the processor: 0.97 on an old one, 0.48 on a new one, for the same code.
  expect(Object.keys(floor)).toStrictEqual([
    'manyCallers',
    'typescriptPeer',
    'memory',
    'signing',
    'signingMuch',
    'downloads',
    'batch',
  ]);
});

it('the repository’s floors are positive, and name ratios that exist', () => {
  expect(Object.keys(floor).filter((name) => !Object.hasOwn(RATIOS, name))).toStrictEqual([]);
  expect(Object.values(floor).every((lowest) => lowest > 0)).toBe(true);
});
