import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { FILES, LARGE_FILE, UNTYPED_FILES, writeFile } from '../support/client-files.ts';
import { CLIENTS, type Client } from './clients.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Holds a built copy of each example, a second one that sends a type of its own, and the files to upload. */
    clientsFolder: string;
  }
}

const execute = promisify(execFile);
const examples = new URL('../../examples/', import.meta.url).pathname;
const harnesses = new URL('.', import.meta.url).pathname;

/** Builds every client with its real toolchain before the first test, away from the checkout, and throws all away after the last. */
export default async function setup(project: TestProject): Promise<() => void> {
  const clientsFolder = mkdtempSync(join(tmpdir(), 'oss-presign-clients-'));
  project.provide('clientsFolder', clientsFolder);
  mkdirSync(join(clientsFolder, 'files'));
  const folders = CLIENTS.flatMap((client) => [
    { client, folder: join(clientsFolder, client.name), copy: copyClient },
    ...(client.ownType.file
      ? [{ client, folder: join(clientsFolder, `${client.name}-own-type`), copy: copyClientWithOwnType }]
      : []),
  ]);
  try {
    await execute('/usr/bin/time', ['--version']).catch((error) => {
      throw new Error('GNU time is missing: it measures the memory of the clients.', { cause: error });
    });
    for (const file of [...FILES, LARGE_FILE, ...UNTYPED_FILES])
      await writeFile(join(clientsFolder, 'files'), file);
    for (const { client, folder, copy } of folders) {
      copy(client, folder);
      await build(client, folder);
    }
  } catch (error) {
    rmSync(clientsFolder, { recursive: true });
    throw error;
  }
  return () => rmSync(clientsFolder, { recursive: true });
}

function copyClient({ name, harness }: Client, folder: string): void {
  cpSync(join(examples, name), folder, { recursive: true });
  if (harness) cpSync(join(harnesses, harness), folder, { recursive: true });
}

function copyClientWithOwnType(client: Client, folder: string): void {
  const { file = '', text = '', becomes = '' } = client.ownType;
  copyClient(client, folder);
  const source = readFileSync(join(folder, file), 'utf8');
  if (source.split(text).length !== 2)
    throw new Error(`examples/${client.name}/${file} does not hold once: ${text}`);
  writeFileSync(join(folder, file), source.replace(text, becomes));
}

async function build({ name, build }: Client, cwd: string): Promise<void> {
  for (const [program, ...args] of build) {
    await execute(program, args, { cwd }).catch(({ code, stdout = '', stderr = '' }) => {
      const reason = code === 'ENOENT' ? `${program} is not installed` : `${stdout}${stderr}`;
      throw new Error(`The example "${name}" cannot be built: ${reason}`);
    });
  }
}
