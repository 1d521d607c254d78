import { join } from 'node:path';
import process from 'node:process';
import { type Cores, pinned } from '../processes/cores.ts';
import { runJson } from '../processes/run-json.ts';
import type { LoadJob, LoadResult } from './load-job.ts';

const CONNECTIONS = 50;
const MAIN = join(import.meta.dirname, 'main.ts');

/** A job without the number of connections, which is the same for all. */
export type LoadOnServer = Omit<LoadJob, 'connections'>;

/** Runs the load generator on another core than the server's. */
export function runLoad(job: LoadOnServer, cores: Cores): Promise<LoadResult> {
  const whole: LoadJob = { ...job, connections: CONNECTIONS };
  return runJson<LoadResult>(pinned(cores, 'rest', [process.execPath, MAIN, JSON.stringify(whole)]));
}
