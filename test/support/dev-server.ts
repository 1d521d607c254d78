import { spawn } from 'node:child_process';
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

/** `npm run dev -- ARG…` that ends by itself, with what it printed on stderr. */
export async function runDev(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['src/demo/dev.ts', ...args], {
    cwd: root,
    env: { ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = await text(child.stderr);
  return { code: await ended, stderr };
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
  onTestFinished(() => void child.kill('SIGKILL'));
  let banner = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    banner += chunk;
    if (banner.includes('Press Ctrl+C')) break;
  }
  child.stdout.resume();
  const [, serviceUrl = ''] = /^ {2}service +(\S+)$/m.exec(banner) ?? [];
  return { banner, serviceUrl };
}
