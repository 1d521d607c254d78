import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { COMPILE_CACHE } from './compile-cache.ts';
import { policyWith } from './policies.ts';
import { createTestIssuer } from './tokens.ts';

export const CREDENTIALS = {
  OSS_ACCESS_KEY_ID: 'TheKeyId',
  OSS_ACCESS_KEY_SECRET: 'TheKeySecret',
  SHUTDOWN_DELAY_SECONDS: '0',
};
export const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** A folder with a good policy and its key set, removed when the test ends. */
export function folderWithPolicy(issuer = createTestIssuer()): string {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'policy.yaml'), policyWith());
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks));
  return folder;
}

export function start(
  cwd: string,
  env: Record<string, string>,
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [main], {
    cwd,
    env: { PORT: '0', ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export async function run(cwd: string, env: Record<string, string>) {
  const child = start(cwd, env);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

/** The first log line with this message. */
export async function logLine(
  child: { stdout: Readable },
  message: string,
): Promise<Record<string, unknown>> {
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line);
    if (entry.msg === message) return entry;
  }
  throw new Error(`the process ended without the log line "${message}"`);
}
