#!/usr/bin/env node
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import process from 'node:process';
import { systemClock } from '../clock.ts';
import type { Environment } from '../config/environment.ts';
import { createCredentials } from '../credentials/create-credentials.ts';
import { readTextFile } from '../text/read-text-file.ts';
import { systemErrorCode } from '../text/system-error.ts';
import { nodeFault } from './node-fault.ts';
import { replaceFile } from './replace-file.ts';
import { run } from './run.ts';
import { writeNewFile } from './write-new-file.ts';

/** The line of the check has the same information. */
const NO_LOG = { info: () => {}, warn: () => {} };

const { version, engines } = JSON.parse(readTextFile(new URL('../../package.json', import.meta.url)));
const fault = nodeFault(engines.node, process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`error: ${fault}\n`);
  process.exit(2);
}

process.stdout.on('error', (error) => {
  const code = systemErrorCode(error);
  // The reader of the output may close it early, as `head` does.
  if (code === 'EPIPE') process.exit();
  process.stderr.write(`error: the output cannot be written (${code}).\n`);
  process.exit(2);
});

const code = await run(process.argv.slice(2), {
  env: process.env,
  readFile: readTextFile,
  fetch: globalThis.fetch,
  clock: systemClock,
  write: (stream, text) => void process[stream].write(text),
  createCredentials: (credentials, env) => {
    shareCloudVariables(env);
    return createCredentials(credentials, { clock: systemClock, log: NO_LOG, findHomeDirectory: homedir });
  },
  writeFile: writeNewFile,
  replaceFile,
  newUuid: () => randomUUID(),
  newPrivateKey: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  startService: async (env) => {
    shareCloudVariables(env);
    // Only this command loads the whole service.
    const { runService } = await import('../service/run-service.ts');
    await runService(process, env);
  },
  version,
});
// Exits although a connection may still be open, but only after all output is written. If it cannot
// be written, the event `error` follows.
if (code !== undefined) process.stdout.write('', (error) => void (error || process.exit(code)));

/**
 * Adds the variables of Alibaba Cloud, which may come from `.env`, to those of the process. Its
 * library reads some of them there, such as the path of the file with the profiles.
 */
function shareCloudVariables(env: Environment): void {
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('ALIBABA_CLOUD_')) process.env[name] = value;
}
