import process from 'node:process';
import { systemClock } from './clock.ts';
import { createLogger } from './http/logging.ts';
import { createLogOutput } from './log-output.ts';
import { prepare } from './prepare.ts';
import { readTextFile } from './read-text-file.ts';
import { createService } from './service.ts';

const prepared = prepare(process.env, readTextFile);
if ('faults' in prepared) refuseToStart(prepared.faults);

const { config } = prepared;
const service = await createService({
  ...prepared,
  logger: createLogger(config.logLevel, systemClock, createLogOutput()),
  clock: systemClock,
  fetch: globalThis.fetch,
  processMetrics: true,
}).catch((error: Error) => refuseToStart([`It cannot be set up: ${error.message}`]));

process.once('SIGTERM', () => stop());
// Whoever presses Ctrl-C has no balancer that would have to notice first.
process.once('SIGINT', () => stop({ delaySeconds: 0 }));
process.on('SIGHUP', service.reloadPolicy);

try {
  await service.start();
} catch (error) {
  refuseToStart([listenFault(error as NodeJS.ErrnoException)]);
}

function stop(options?: { readonly delaySeconds: number }): void {
  service.stop(options).then(
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
