import { buildGoPeer } from '../peers/build-go-peer.ts';
import type { Plan } from '../plan.ts';
import { type Cores, pinned } from '../processes/cores.ts';
import { findTool } from '../processes/find-tool.ts';
import { startRedis } from '../processes/start-redis.ts';

export type Tools = {
  /** The program of the Go peer. */
  readonly goPeer: string | undefined;
  readonly redisUrl: string | undefined;
  /** The missing tools, one sentence each. */
  readonly missing: readonly string[];
  stop(): Promise<void>;
};

/** Builds and starts the tools that the plan needs besides npm, if this machine has them. */
export async function prepareTools(
  { loads, parts, withGo }: Plan,
  folder: string,
  cores: Cores,
): Promise<Tools> {
  const missing: string[] = [];
  const go = withGo && (loads.go || parts.length > 0) ? await buildGoPeer(folder) : undefined;
  if (go && 'missing' in go) missing.push(`The Go peer: ${go.missing}.`);
  const binary = loads.valkey && findTool('valkey-server', 'redis-server');
  if (loads.valkey && !binary) missing.push('Limits in Valkey or Redis: neither server is on the PATH.');
  const redis = binary ? await startRedis(pinned(cores, 'rest', [binary])) : undefined;
  return {
    goPeer: go && 'path' in go ? go.path : undefined,
    redisUrl: redis?.url,
    missing,
    stop: async () => await redis?.stop(),
  };
}
