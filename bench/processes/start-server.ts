import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';

export type ServerProcess = {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process until `GET /livez` was answered with 200. */
  readonly startUpMs: number;
  /** Lets it end by itself, as it does in production: what it keeps for its next start is written then. */
  stop(): Promise<void>;
};

/**
 * Starts a server that says in a line of JSON where it listens, and waits until it answers. What it writes is read, as a
 * container's engine would.
 * @throws Error where it ends before that.
 */
export async function startServer(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const [file = '', ...args] = command;
  const startedAt = performance.now();
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    if (!line.includes('"listening"')) continue;
    const { port } = new URL((JSON.parse(line) as { address: string }).address);
    await livez(Number(port));
    const startUpMs = performance.now() - startedAt;
    child.stdout.resume();
    return {
      port: Number(port),
      pid: child.pid ?? 0,
      startUpMs,
      async stop() {
        child.kill('SIGINT');
        await ended;
      },
    };
  }
  throw new Error(`${args.at(-1)} ended before it listened`);
}

function livez(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/livez', agent: false }, (response) => {
      response.resume();
      if (response.statusCode === 200) response.once('end', resolve);
      else reject(new Error(`GET /livez was answered with ${response.statusCode}`));
    }).once('error', reject);
  });
}
