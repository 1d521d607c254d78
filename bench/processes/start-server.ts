import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';

export type ServerProcess = {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process to the first 200 of `GET /livez`, in milliseconds. */
  readonly startUpMs: number;
  /** Stops it by a signal, as in production: only then does it write its compile cache. */
  stop(): Promise<void>;
};

/**
 * Starts a server that prints its address in a line of JSON, and waits until it responds. Its
 * output is read, as a container engine does.
 * @throws Error if it exits before.
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
      else reject(new Error(`GET /livez responded with ${response.statusCode}`));
    }).once('error', reject);
  });
}
