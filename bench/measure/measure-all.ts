import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { ContenderName, PartName } from '../contenders.ts';
import type { Measurements } from '../measurements.ts';
import { buildGoPeer } from '../peers/build-go-peer.ts';
import { type Cores, pinned } from '../processes/cores.ts';
import { findTool } from '../processes/find-tool.ts';
import { startRedis } from '../processes/start-redis.ts';
import { prepareStage } from '../stage/stage.ts';
import { measureRequests, type RequestSample } from './measure-requests.ts';
import { measureSigning, type SigningSample } from './measure-signing.ts';
import { measureStartUp, type StartUpSample } from './measure-start-up.ts';
import { callersNeeded, type RequestLoad } from './request-loads.ts';
import { serverCommands } from './server-commands.ts';

export type Plan = {
  readonly rounds: number;
  readonly seconds: number;
  readonly loads: Readonly<Partial<Record<ContenderName, readonly RequestLoad[]>>>;
  readonly parts: readonly PartName[];
  readonly startUps: number;
};

/** What came of a plan, and what had to be left out, a sentence each. */
export type Outcome = {
  readonly measurements: Measurements;
  readonly leftOut: readonly string[];
  readonly goIsThere: boolean;
};

/**
 * Measures what the plan says in interleaved rounds: each round has everything once, so that a slow minute of the machine
 * falls on all alike.
 * @param tell is told how far it is.
 */
export async function measureAll(
  plan: Plan,
  cores: Cores,
  tell: (progress: string) => void,
): Promise<Outcome> {
  const { rounds, seconds, loads, parts, startUps } = plan;
  const leftOut: string[] = [];
  const requests: RequestSample[] = [];
  const signing: SigningSample[] = [];
  const startUp: StartUpSample[] = [];

  tell('making keys and tokens');
  const stage = await prepareStage({ callers: callersNeeded(Object.values(loads).flat()) });
  const wantsGo = loads.go !== undefined || parts.includes('signing');
  const go = wantsGo ? await buildGoPeer(stage.folder) : { missing: undefined };
  const goPeer = 'path' in go ? go.path : undefined;
  if ('missing' in go && go.missing) leftOut.push(`The Go peer: ${go.missing}.`);
  const redisBinary = loads.valkey && findTool('valkey-server', 'redis-server');
  if (loads.valkey && !redisBinary) leftOut.push('Limits in Valkey or Redis: neither server is on the PATH.');
  const redis = redisBinary
    ? await startRedis(pinned(cores, 'rest', [redisBinary]), await freePort())
    : undefined;
  try {
    const servers = serverCommands(stage, { goPeer, redisUrl: redis?.url });
    const loaded = servers.filter(({ name }) => loads[name]);
    for (let round = 1; round <= rounds; round++) {
      tell(`round ${round} of ${rounds}`);
      requests.push(...(await measureRequests({ round, seconds, servers: loaded, loads, stage, cores })));
      if (parts.includes('signing')) signing.push(await measureSigning(cores, stage.folder, goPeer));
    }
    if (parts.includes('start-up')) {
      tell('start-up');
      const started = servers.filter(({ name }) => name !== 'valkey' && name !== 'node-http');
      for (let turn = 0; turn < startUps; turn++) startUp.push(...(await measureStartUp(started, cores)));
    }
  } finally {
    await redis?.stop();
    stage.remove();
  }
  return { measurements: { requests, signing, startUp }, leftOut, goIsThere: goPeer !== undefined };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
