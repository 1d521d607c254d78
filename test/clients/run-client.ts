import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { Client } from './clients.ts';
import { type ResidentClient, startResidentClient } from './resident-client.ts';

export type ClientRun = {
  readonly code: number | null;
  readonly stdout: string;
  /** Without what the progress line wrote over. */
  readonly stderr: string;
};

type Place = { readonly service: { readonly url: string }; readonly token?: string };

let resident: ResidentClient | undefined;

/**
 * Runs a built client as a person does, with its token in the environment, until it exits. One in a harness stays and runs all
 * command lines of a test file.
 * @param args the command line; its first argument is a name in the folder of files.
 */
export async function runClient(
  client: Pick<Client, 'name' | 'run' | 'harness'>,
  args: readonly string[],
  place: Place,
): Promise<ClientRun> {
  if (!client.harness) return await runAlone(client, args, place);
  resident ??= startResidentClient(client.run, join(inject('clientsFolder'), client.name));
  return check(await resident.run([place.service.url, place.token ?? '', ...withPath(args)]), place);
}

/** Runs a built client in a separate process, and measures its memory. */
export async function runAlone(
  { name, run }: Pick<Client, 'name' | 'run'>,
  args: readonly string[],
  place: Place,
): Promise<ClientRun & { readonly peakMib: number }> {
  const measured = join(inject('clientsFolder'), name, `peak-kib-${randomUUID()}`);
  const command = ['/usr/bin/time', '-f', '%M', '-o', measured, ...run] as const;
  const { ended } = startClient({ name, run: command }, withPath(args), place);
  const result = await ended;
  const peakKib = Number(readFileSync(measured, 'utf8').trim().split('\n').at(-1));
  return { ...result, peakMib: peakKib / 1024 };
}

/** Starts a built client in a process that a test can end. Its arguments are passed on as they are. */
export function startClient(
  { name, run: [program, ...options] }: Pick<Client, 'name' | 'run'>,
  args: readonly string[],
  place: Place,
): { readonly kill: () => void; readonly ended: Promise<ClientRun> } {
  const child = spawn(program, [...options, ...args], {
    cwd: join(inject('clientsFolder'), name),
    env: { ...process.env, OSS_PRESIGN_URL: place.service.url, OSS_PRESIGN_TOKEN: place.token },
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
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return {
    kill: () => child.kill('SIGKILL'),
    ended: code.then((code) => check({ code, stdout, stderr }, place)),
  };
}

const withPath = ([file, ...args]: readonly string[]) =>
  file === undefined ? [] : [join(inject('clientsFolder'), 'files', file), ...args];

/** After each fault, no client prints anything that would let others upload. */
function check({ stderr, ...run }: ClientRun, { token }: Place): ClientRun {
  expect(`${run.stdout}${stderr}`).not.toMatch(/x-oss-signature|x-oss-credential/i);
  if (token) expect(`${run.stdout}${stderr}`).not.toContain(token);
  return { ...run, stderr: stderr.replace(/[^\n]*\r/g, '') };
}
