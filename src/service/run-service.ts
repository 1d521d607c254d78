import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { createLogger } from '../log/logger.ts';
import { createLogOutput } from '../log/output.ts';
import { readTextFile } from '../text/read-text-file.ts';
import { systemErrorCode } from '../text/system-error.ts';
import { readPackageVersion } from './package-version.ts';
import { createService } from './service.ts';
import { loadStartupInput } from './startup-input.ts';

/** The parts of a Node.js process that the service uses: `process` itself. */
export type ServiceProcess = {
  readonly stderr: {
    on(event: 'error', listener: () => void): unknown;
    write(text: string): unknown;
  };
  on(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void): unknown;
  exit(code: number): never;
};

/** Signals that follow the first one within this time count as the same, in milliseconds. */
const SAME_SIGNAL_MS = 250;

/** How long closing connections and the log may take after the grace time, in milliseconds. */
const EXIT_MARGIN_MS = 500;

/**
 * Runs the service in this process, with its log on standard output, until a signal stops it.
 * SIGTERM stops it after the delay, SIGINT without one, and a second signal at once; SIGHUP reads
 * the policy and the service keys again. Resolves when the service listens. The process exits with
 * 0 when it has stopped. If it cannot start, every fault is written to stderr and the process exits
 * with 1.
 * @param env the environment variables of the service.
 */
export async function runService(process: ServiceProcess, env: Environment): Promise<void> {
  const input = loadStartupInput(env, readTextFile);
  if ('faults' in input) return exitWithFaults(process, input.faults);

  const { config } = input;
  // A broken stderr must not end the process.
  process.stderr.on('error', () => {});
  const logOutput = createLogOutput({
    clock: systemClock,
    report: (line) => void process.stderr.write(line),
  });
  const service = await createService({
    ...input,
    logger: createLogger(config.logLevel, systemClock, logOutput),
    logOutput,
    version: readPackageVersion(),
    clock: systemClock,
    fetch: globalThis.fetch,
    processMetrics: true,
  }).catch((error: Error) => exitWithFaults(process, [error.message]));

  let stoppingSince: number | undefined;
  process.on('SIGTERM', () => stop(config.shutdownDelaySeconds));
  // Ctrl-C: no load balancer has to notice first.
  process.on('SIGINT', () => stop(0));
  process.on('SIGHUP', service.reloadFiles);

  try {
    await service.start();
  } catch (error) {
    exitWithFaults(process, [listenFault(error as NodeJS.ErrnoException, config)]);
  }

  /** Exits after the delay and the grace time at the latest, even if something hangs. */
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
}

function listenFault(
  error: NodeJS.ErrnoException & { readonly port?: number },
  { host, port, metricsPort }: Config,
): string {
  const { port: failed } = error;
  const code = systemErrorCode(error);
  const where = `${host} port ${failed ?? port}`;
  const variable = failed !== undefined && failed === metricsPort ? 'METRICS_PORT' : 'PORT';
  if (code === 'EADDRINUSE')
    return `${where} is taken by another process; set ${variable} or HOST to another.`;
  if (code === 'EACCES') return `${where} may not be opened by this user; set ${variable} to 1024 or more.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${host} is not an address of this machine.`;
  return `${where} cannot be opened (${code}).`;
}

function exitWithFaults(process: ServiceProcess, faults: readonly string[]): never {
  process.stderr.write(`oss-presign does not start:\n${faults.map((fault) => `  - ${fault}\n`).join('')}`);
  return process.exit(1);
}
