#!/usr/bin/env node
import { homedir } from 'node:os';
import process from 'node:process';
import { systemClock } from '../clock.ts';
import { createCredentials } from '../credentials/create-credentials.ts';
import { readTextFile } from '../text/read-text-file.ts';
import { nodeFault } from './node-fault.ts';
import { run } from './run.ts';
import { writeNewFile } from './write-new-file.ts';

/** What a source would log, the line of its check says. */
const NO_LOG = { info: () => {}, warn: () => {} };

const { version, engines } = JSON.parse(readTextFile(new URL('../../package.json', import.meta.url)));
const fault = nodeFault(engines.node, process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`error: ${fault}\n`);
  process.exit(2);
}

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', () => process.exit());

const code = await run(process.argv.slice(2), {
  env: process.env,
  readFile: readTextFile,
  fetch: globalThis.fetch,
  clock: systemClock,
  write: (stream, text) => void process[stream].write(text),
  createCredentials: (credentials) =>
    createCredentials(credentials, { clock: systemClock, log: NO_LOG, findHomeDirectory: homedir }),
  writeFile: writeNewFile,
  startService: async (env) => {
    Object.assign(process.env, env);
    await import('../main.ts');
  },
  version,
});
// Ends even when something keeps a connection open, but not before all is written.
if (code !== undefined) process.stdout.write('', () => process.exit(code));
