import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { ClientStage } from '../support/client-stage.ts';
import type { Client } from './clients.ts';

export type ClientRun = {
  readonly code: number | null;
  readonly stdout: string;
  /** Without what the progress line wrote over. */
  readonly stderr: string;
  /** The largest resident set of any of its processes. */
  readonly peakMib: number;
};

/** Runs a built client as a person does, with its token in the environment, until it exits. */
export async function runClient(
  { name, run }: Pick<Client, 'name' | 'run'>,
  upload: { readonly file: string; readonly key: string; readonly type: string },
  { service, token }: ClientStage,
): Promise<ClientRun> {
  const cwd = join(inject('workshop'), name);
  const file = join(inject('workshop'), 'files', upload.file);
  const measured = join(cwd, 'peak-kib');
  const child = spawn('/usr/bin/time', ['-f', '%M', '-o', measured, ...run, file, upload.key, upload.type], {
    cwd,
    env: { ...process.env, OSS_PRESIGN_URL: service.url, OSS_PRESIGN_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const peakKib = Number(readFileSync(measured, 'utf8').trim().split('\n').at(-1));
  return { code, stdout, stderr: stderr.replace(/[^\n]*\r/g, ''), peakMib: peakKib / 1024 };
}
