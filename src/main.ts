import { readFileSync } from 'node:fs';
import process from 'node:process';
import { systemClock } from './clock.ts';
import { createLogger } from './http/logging.ts';
import { prepare } from './prepare.ts';
import { createService } from './service.ts';

const prepared = prepare(process.env, (path) => readFileSync(path, 'utf8'));
if ('faults' in prepared) refuseToStart(prepared.faults);

const { config, policy } = prepared;
const service = await createService({
  config,
  policy,
  logger: createLogger(config.logLevel),
  clock: systemClock,
  fetch: globalThis.fetch,
}).catch((error: Error) => refuseToStart([`It cannot be set up: ${error.message}`]));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    service.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

try {
  await service.start();
} catch (error) {
  refuseToStart([listenFault((error as NodeJS.ErrnoException).code)]);
}

function listenFault(code: string | undefined): string {
  const where = `${config.host} port ${config.port}`;
  if (code === 'EADDRINUSE') return `${where} is taken by another process; set PORT or HOST to another.`;
  if (code === 'EACCES') return `${where} may not be opened by this user; set PORT to 1024 or more.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${config.host} is not an address of this machine.`;
  return `${where} cannot be listened on (${code ?? 'unknown error'}).`;
}

function refuseToStart(faults: readonly string[]): never {
  process.stderr.write(`oss-presign does not start:\n${faults.map((fault) => `  - ${fault}\n`).join('')}`);
  process.exit(1);
}
