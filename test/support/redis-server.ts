import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { expect, onTestFinished, vi } from 'vitest';

export type RedisServer = {
  readonly port: number;
  readonly url: string;
  /** Sends a signal: SIGKILL as a crash, SIGSTOP as a hang, SIGCONT as its end. Resolves when a killed one is gone. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Restarts on the same port, with nothing stored. */
  start(): Promise<void>;
};

/** A real server on a free port, on the loopback only, that keeps nothing on disk. It ends with the test. */
export async function startRedisServer({
  password,
  port: given,
  isCluster = false,
  flags: moreFlags = {},
}: {
  readonly password?: string;
  readonly port?: number;
  /** A cluster of one, which has all slots and still takes the keys of only one at a time. */
  readonly isCluster?: boolean;
  /** Further settings of its configuration. */
  readonly flags?: Readonly<Record<string, string | number>>;
} = {}): Promise<RedisServer> {
  const binary = findBinary();
  const port = given ?? (await findFreePort());
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const clusterOptions = isCluster && { 'cluster-enabled': 'yes', 'cluster-port': await findFreePort() };
  let child: ChildProcess;
  await start();
  if (isCluster) await takeAllSlots(port);
  onTestFinished(async () => {
    await signal('SIGKILL');
    rmSync(directory, { recursive: true });
  });
  return { port, url: `redis://${password ? `:${password}@` : ''}127.0.0.1:${port}/0`, signal, start };

  async function start(): Promise<void> {
    const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: directory };
    const flags = Object.entries({
      ...options,
      ...(password && { requirepass: password }),
      ...clusterOptions,
      ...moreFlags,
    });
    child = spawn(
      binary,
      flags.flatMap(([name, value]) => [`--${name}`, String(value)]),
    );
    const output: string[] = [];
    if (!child.stdout) throw new Error('a spawned server has an output');
    for await (const line of createInterface({ input: child.stdout })) {
      output.push(line);
      if (line.includes('Ready to accept connections')) {
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`${binary} did not start:\n${output.join('\n')}`);
  }

  async function signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL') await exit;
  }
}

async function takeAllSlots(port: number): Promise<void> {
  const admin = new Redis(port, '127.0.0.1');
  await admin.cluster('ADDSLOTSRANGE', 0, 16_383);
  await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), 8000);
  admin.disconnect();
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function findBinary(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  throw new Error(
    'This suite needs a real server, and neither redis-server nor valkey-server is on the PATH. ' +
      'Install one: `apt-get install redis-server` on Debian and Ubuntu, `brew install valkey` on macOS.',
  );
}
