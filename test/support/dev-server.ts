import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { COMPILE_CACHE } from './compile-cache.ts';

const root = new URL('../../', import.meta.url).pathname;

export type DevServer = {
  /** All that it printed until its banner was whole. */
  readonly banner: string;
  readonly serviceUrl: string;
};

/** `npm run dev -- ARG…` that ends by itself, with what it printed on stderr and the files that it left behind. */
export async function runDev(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'oss-presign-dev-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const child = spawn(process.execPath, ['src/demo/dev.ts', ...args], {
    cwd: root,
    env: { ...COMPILE_CACHE, ...env, TMPDIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = await text(child.stderr);
  return { code: await ended, stderr, files: readdirSync(directory) };
}

/** `npm run dev -- ARG…`, running until the test ends. */
export async function startDev(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<DevServer> {
  const child = spawn(process.execPath, ['src/demo/dev.ts', ...args], {
    cwd: root,
    env: { ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  // It removes its files then.
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let banner = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    banner += chunk;
    if (banner.includes('Press Ctrl+C')) break;
  }
  child.stdout.resume();
  const [, serviceUrl = ''] = /^ {2}service +(\S+)$/m.exec(banner) ?? [];
  return { banner, serviceUrl };
}
