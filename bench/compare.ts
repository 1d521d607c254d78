import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { LoadResult } from './load/load-job.ts';
import { runLoad } from './load/run-load.ts';
import { WARM_UP_SECONDS } from './measure/request-loads.ts';
import { type Cores, pinned, takeCores } from './processes/cores.ts';
import { cpuSeconds } from './processes/cpu-seconds.ts';
import { START_COMMAND } from './processes/start-command.ts';
import { type ServerProcess, startServer } from './processes/start-server.ts';
import { median } from './report/median.ts';
import { type BenchSetup, prepareSetup } from './setup/setup.ts';

const USAGE = `Compares the service of this checkout with that of another commit, in one run. The effect of a single change is often smaller
than the difference between two runs of npm run bench.

  npm run bench:compare -- COMMIT [STARTS]

Starts both STARTS times (5), because the same code differs between processes, and loads them alternately for 0.25 s on one core.
Prints µs of CPU time per request (RS256, one caller, 50 connections) and the ratio. Both use the packages of this checkout.
Needs Linux.
`;

const SLICE_SECONDS = 0.25;
const ROUNDS = 12;
const checkout = join(import.meta.dirname, '..');

const [commit, starts = '5', ...more] = process.argv.slice(2);
if (commit === undefined || commit.startsWith('-') || !/^[1-9]\d?$/.test(starts) || more.length > 0) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const cores = takeCores();
const setup = await prepareSetup({ callers: { RS256: 1, ES256: 1, HS256: 1 } });
const otherCheckout = join(setup.folder, 'other');
const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: checkout, stdio: 'inherit' });
try {
  git('worktree', 'add', '--quiet', '--detach', otherCheckout, commit);
  symlinkSync(join(checkout, 'node_modules'), join(otherCheckout, 'node_modules'));
  const ratios: number[] = [];
  for (let start = 1; start <= Number(starts); start++) {
    const { here, there } = await compareOnce(setup, cores);
    ratios.push(here / there);
    report(
      `start ${start}: ${here.toFixed(1)} µs here, ${there.toFixed(1)} µs at ${commit}`,
      ratios.slice(-1),
    );
  }
  report(`of ${starts} starts`, ratios);
} finally {
  setup.remove();
  git('worktree', 'prune');
}

function report(what: string, ratios: readonly number[]): void {
  const [low, middle, high] = [Math.min(...ratios), median(ratios), Math.max(...ratios)];
  const range = ratios.length > 1 ? ` (${low.toFixed(3)} to ${high.toFixed(3)})` : '';
  process.stdout.write(`${what}: ${middle.toFixed(3)} of it${range}\n`);
}

/** Microseconds of CPU time per request, of both. */
async function compareOnce(setup: BenchSetup, cores: Cores): Promise<{ here: number; there: number }> {
  const flags = START_COMMAND.slice(0, -1);
  const start = (root: string) =>
    startServer(pinned(cores, 'server', [...flags, join(root, 'src/main.ts')]), setup.serviceEnv);
  const servers = [await start(checkout), await start(otherCheckout)] as const;
  try {
    for (const server of servers) await load(server, 0, WARM_UP_SECONDS);
    const had = servers.map(() => ({ requests: 0, seconds: 0 }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const server = servers[index] as ServerProcess;
        const before = cpuSeconds(server.pid) ?? Number.NaN;
        const { requests } = await load(server, SLICE_SECONDS, 0);
        const sum = had[index] as (typeof had)[number];
        sum.seconds += (cpuSeconds(server.pid) ?? Number.NaN) - before;
        sum.requests += requests;
      }
    }
    const [here, there] = had.map(({ requests, seconds }) => (seconds * 1e6) / requests);
    return { here: here as number, there: there as number };
  } finally {
    for (const server of servers) await server.stop();
  }
}

function load({ port, pid }: ServerProcess, seconds: number, warmUpSeconds: number): Promise<LoadResult> {
  const callers = { from: 0, to: 1 };
  const tokensFile = setup.tokensFiles.RS256;
  return runLoad({ port, pid, tokensFile, callers, extent: { seconds, warmUpSeconds } }, cores);
}
