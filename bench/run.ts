import { writeFileSync } from 'node:fs';
import process from 'node:process';
import floor from './floor.json' with { type: 'json' };
import { measureAll } from './measure/measure-all.ts';
import { WARM_UP_SECONDS } from './measure/request-loads.ts';
import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { planOf } from './plan.ts';
import { type Cores, takeCores } from './processes/cores.ts';
import { belowFloor } from './report/below-floor.ts';
import { ratiosOf } from './report/ratios.ts';
import { renderReport } from './report/render-report.ts';
import { describeRun } from './report/versions.ts';

const options = readOptions();
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const cores = takeCores();
const { measurements, leftOut, goIsThere } = await measureAll(planOf(options), cores, (progress) =>
  process.stderr.write(`${progress} …\n`),
);
const ratios = ratiosOf(measurements);
const remarks = [
  ...describeRun(goIsThere),
  howMeasured(options, cores),
  ...leftOut.map((what) => `Left out. ${what}`),
];
const report = renderReport(measurements, ratios, remarks);
process.stdout.write(`${report}\n`);

if (options.check) {
  const faults = belowFloor(ratios, floor);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.stderr.write(faults.length === 0 ? 'every ratio is at or above its floor\n' : '');
  process.exitCode = faults.length === 0 ? 0 : 1;
} else if (options.only.length === 0) {
  writeFileSync(
    new URL('results.md', import.meta.url),
    `# Results on one core\n\nWritten by \`npm run bench\`. Only the ratios are comparable between machines.\n\n${report}\n`,
  );
}

function readOptions(): BenchOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

function howMeasured({ rounds, seconds }: BenchOptions, where: Cores): string {
  const pinning =
    'missing' in where
      ? `no process is pinned to a core (${where.missing}), so server and load generator can disturb each other`
      : 'the server on one core, all other processes on another';
  return (
    `Medians of ${rounds} interleaved rounds of ${seconds} s per load (± half of the range); ` +
    `with one caller, after a warm-up of ${WARM_UP_SECONDS} s of CPU time; ${pinning}; 50 keep-alive connections, one open request on each. "generator" is the share of its core that the load generator used; ` +
    'a "CPU second" is a second of CPU time of the server, so other processes on the machine do not count.'
  );
}
