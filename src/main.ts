import process from 'node:process';
import { systemClock } from './clock.ts';
import { createLogger } from './log/logger.ts';
import { createLogOutput } from './log/output.ts';
import { readPackageVersion } from './service/package-version.ts';
import { createService } from './service/service.ts';
import { prepare } from './service/startup-input.ts';
import { readTextFile } from './text/read-text-file.ts';

/** Signals that follow the first one within this time count as the same, in milliseconds. */
const SAME_SIGNAL_MS = 250;

/** What closing connections and the log may take beyond the grace time, in milliseconds. */
const EXIT_MARGIN_MS = 500;

let stoppingSince: number | undefined;

const prepared = prepare(process.env, readTextFile);
if ('faults' in prepared) refuseToStart(prepared.faults);

const { config } = prepared;
// A broken stderr must not end the process.
process.stderr.on('error', () => {});
const logOutput = createLogOutput({
  clock: systemClock,
  report: (line) => void process.stderr.write(line),
});
const service = await createService({
  ...prepared,
  logger: createLogger(config.logLevel, systemClock, logOutput),
  logOutput,
  version: readPackageVersion(),
  clock: systemClock,
  fetch: globalThis.fetch,
  processMetrics: true,
}).catch((error: Error) => refuseToStart([error.message]));

process.on('SIGTERM', () => stop(config.shutdownDelaySeconds));
// Ctrl-C: no load balancer has to notice first.
process.on('SIGINT', () => stop(0));
process.on('SIGHUP', service.reloadPolicy);

try {
  await service.start();
} catch (error) {
  refuseToStart([listenFault(error as NodeJS.ErrnoException)]);
}

/**
 * Stops the service and exits with 0: after the delay and the grace time at the latest, whatever hangs, and at once on a second signal.
 */
function stop(delaySeconds: number): void {
  const now = performance.now();
  if (stoppingSince !== undefined) {
    // One Ctrl-C can arrive twice: from the terminal, and passed on by npm.
    if (now - stoppingSince > SAME_SIGNAL_MS) process.exit(0);
    return;
  }
  stoppingSince = now;
  setTimeout(() => process.exit(0), (delaySeconds + config.shutdownGraceSeconds) * 1000 + EXIT_MARGIN_MS);
  service
    .stop({ delaySeconds })
    .then(logOutput.end)
    .then(
      () => process.exit(0),
      () => process.exit(1),
    );
}

function listenFault({ code, port = config.port }: NodeJS.ErrnoException & { port?: number }): string {
  const where = `${config.host} port ${port}`;
  const variable = port === config.metricsPort ? 'METRICS_PORT' : 'PORT';
  if (code === 'EADDRINUSE')
    return `${where} is taken by another process; set ${variable} or HOST to another.`;
  if (code === 'EACCES') return `${where} may not be opened by this user; set ${variable} to 1024 or more.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${config.host} is not an address of this machine.`;
  return `${where} cannot be listened on (${code ?? 'unknown error'}).`;
}

function refuseToStart(faults: readonly string[]): never {
  process.stderr.write(`oss-presign does not start:\n${faults.map((fault) => `  - ${fault}\n`).join('')}`);
  process.exit(1);
}
