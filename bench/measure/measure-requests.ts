import type { ContenderName } from '../contenders.ts';
import type { LoadResult } from '../load/load-job.ts';
import { type LoadOnServer, runLoad } from '../load/run-load.ts';
import { type Cores, pinned } from '../processes/cores.ts';
import { residentMemory } from '../processes/resident-memory.ts';
import { type ServerProcess, startServer } from '../processes/start-server.ts';
import { median } from '../report/median.ts';
import type { BenchSetup } from '../setup/setup.ts';
import { jobOf, type RequestLoad } from './request-loads.ts';

export type ServerCommand = {
  readonly name: ContenderName;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** One load in one round. */
export type RequestSample = LoadResult & {
  readonly round: number;
  readonly server: ContenderName;
  readonly load: RequestLoad;
  /** MiB: the median during the load, and before the first load. */
  readonly memory: { readonly underLoad: number; readonly atRest: number };
};

const MEMORY_SAMPLE_MS = 100;

/**
 * Measures one round: starts each server as a new process on the servers' core, and runs its loads
 * one after the other.
 */
export async function measureRequests({
  round,
  seconds,
  servers,
  loads,
  setup,
  cores,
}: {
  readonly round: number;
  readonly seconds: number;
  readonly servers: readonly ServerCommand[];
  readonly loads: Readonly<Partial<Record<ContenderName, readonly RequestLoad[]>>>;
  readonly setup: BenchSetup;
  readonly cores: Cores;
}): Promise<readonly RequestSample[]> {
  const samples: RequestSample[] = [];
  for (const { name, command, env } of servers) {
    const server = await startServer(pinned(cores, 'server', command), env);
    try {
      const atRest = residentMemory(server.pid);
      for (const load of loads[name] ?? []) {
        const job: LoadOnServer = {
          ...jobOf(load.callers, seconds),
          port: server.port,
          pid: server.pid,
          tokensFile: setup.tokensFiles[load.algorithm],
        };
        const { result, underLoad } = await loadAndWatch(job, server, cores);
        samples.push({ ...result, round, server: name, load, memory: { underLoad, atRest } });
      }
    } finally {
      await server.stop();
    }
  }
  return samples;
}

async function loadAndWatch(job: LoadOnServer, { pid }: ServerProcess, cores: Cores) {
  const memory: number[] = [];
  const watch = setInterval(() => memory.push(residentMemory(pid)), MEMORY_SAMPLE_MS);
  try {
    const result = await runLoad(job, cores);
    return { result, underLoad: median(memory) };
  } finally {
    clearInterval(watch);
  }
}
