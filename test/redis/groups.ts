import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, vi } from 'vitest';
import { findBinary, findFreePort, type RedisServer, startRedisServer } from '../support/redis-server.ts';

const NODE_TIMEOUT_MS = 1_000;
const SLOTS = 16_384;

export type RedisCluster = {
  /** `redis+cluster://` with every node. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
};

/** Starts a cluster of three masters with this many replicas each. It ends with the test. */
export async function startRedisCluster({
  replicas = 0,
  password = 'open-sesame',
} = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 3 * (1 + replicas) }, async () => {
      const busPort = await findFreePort();
      const flags = {
        'cluster-enabled': 'yes',
        'cluster-port': busPort,
        'cluster-node-timeout': NODE_TIMEOUT_MS,
        'cluster-replica-validity-factor': 0,
        masterauth: password,
      };
      const server = await startRedisServer({ password, flags });
      return { server, busPort, admin: administer(server.port, password) };
    }),
  );
  const [first] = nodes;
  if (!first) throw new Error('the cluster has no nodes');
  for (const [index, { server, busPort }] of nodes.entries()) {
    await nodes[index]?.admin.cluster('SET-CONFIG-EPOCH', index + 1);
    await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  const masters = nodes.slice(0, 3);
  const share = Math.ceil(SLOTS / 3);
  for (const [index, { admin }] of masters.entries()) {
    await admin.cluster('ADDSLOTSRANGE', index * share, Math.min(SLOTS, (index + 1) * share) - 1);
  }
  for (const { admin } of nodes) {
    await vi.waitFor(
      async () => expect(await admin.cluster('INFO')).toContain(`cluster_known_nodes:${nodes.length}`),
      15_000,
    );
  }
  for (const [index, { admin }] of nodes.slice(3).entries()) {
    const master = String(await masters[index % 3]?.admin.call('CLUSTER', 'MYID'));
    await vi.waitFor(() => admin.call('CLUSTER', 'REPLICATE', master), 15_000);
    await vi.waitFor(
      async () => expect(await admin.info('replication')).toContain('master_link_status:up'),
      15_000,
    );
  }
  for (const { admin } of nodes) {
    await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), 15_000);
  }
  const hosts = nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',');
  return { url: `redis+cluster://:${password}@${hosts}`, masters: masters.map(({ server }) => server) };
}

export type RedisGroup = {
  /** `redis+sentinel://` with every sentinel and their password. */
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
};

/**
 * Starts a master with a replica, which three sentinels watch under the name `mymaster`. It ends
 * with the test.
 */
export async function startRedisGroup({
  password = 'open-sesame',
  sentinelPassword = 'sentinel-password',
} = {}): Promise<RedisGroup> {
  const flags = { masterauth: password };
  const master = await startRedisServer({ password, flags });
  const replica = await startRedisServer({
    password,
    flags: { ...flags, replicaof: `127.0.0.1 ${master.port}` },
  });
  await vi.waitFor(
    async () =>
      expect(await administer(replica.port, password).info('replication')).toContain('master_link_status:up'),
    15_000,
  );
  const ports = [await findFreePort(), await findFreePort(), await findFreePort()];
  await Promise.all(ports.map((port) => startSentinel(port, master.port, password, sentinelPassword)));
  for (const port of ports) {
    const admin = administer(port, sentinelPassword);
    await vi.waitFor(async () => {
      const state = String(await admin.call('SENTINEL', 'MASTER', 'mymaster'));
      expect(state).toContain('num-slaves,1');
      expect(state).toContain('num-other-sentinels,2');
    }, 15_000);
  }
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return {
    url: `redis+sentinel://:${password}@${hosts}/mymaster?sentinelPassword=${sentinelPassword}`,
    master,
    replica,
  };
}

async function startSentinel(
  port: number,
  masterPort: number,
  password: string,
  sentinelPassword: string,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sentinel-'));
  const file = join(directory, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `requirepass ${sentinelPassword}`,
      `sentinel sentinel-pass ${sentinelPassword}`,
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 2`,
      `sentinel auth-pass mymaster ${password}`,
      'sentinel down-after-milliseconds mymaster 500',
      'sentinel failover-timeout mymaster 3000',
      '',
    ].join('\n'),
  );
  const child: ChildProcess = spawn(findBinary(), [file, '--sentinel'], { stdio: 'ignore' });
  onTestFinished(async () => {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    rmSync(directory, { recursive: true });
  });
}

function administer(port: number, password: string): Redis {
  const admin = new Redis(port, '127.0.0.1', { password });
  admin.on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}
