import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { presign } from '../../src/storage/oss/signing/presign.ts';
import { BUCKET, LONG_LIVED, REGION } from '../support/test-emulator.ts';

const PROGRAM = new URL('../../src/emulator/main.ts', import.meta.url).pathname;

export type EmulatorProcess = {
  readonly url: string;
  readonly child: ChildProcess;
};

/** Starts the emulator as a process, with an empty folder. Both are gone when the test has ended. */
export async function startEmulatorProcess(): Promise<EmulatorProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'oss-emulator-test-'));
  const child = spawn(
    process.execPath,
    [
      PROGRAM,
      '--port=0',
      `--bucket=${BUCKET}`,
      `--region=${REGION}`,
      `--access-key-id=${LONG_LIVED.accessKeyId}`,
      `--directory=${directory}`,
    ],
    { env: { OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(async () => {
    await killProcess(child);
    rmSync(directory, { recursive: true });
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [, address] = /^Listening on (\S+) /.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error('the emulator ended before it listened')));
  });
  return { url, child };
}

/** A URL for reading an object of the emulator for ten minutes. */
export function presignedGet(emulatorUrl: string, key: string): string {
  return presign({
    credentials: LONG_LIVED,
    method: 'GET',
    region: REGION,
    bucket: BUCKET,
    key,
    endpoint: { url: emulatorUrl, addressing: 'path' },
    headers: {},
    signedAt: new Date(),
    expiresInSeconds: 600,
  }).url;
}

/** Kills a process as `kill -9` does, and resolves when it has ended. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
