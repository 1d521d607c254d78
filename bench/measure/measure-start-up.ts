import type { ContenderName } from '../contenders.ts';
import { type Cores, pinned } from '../processes/cores.ts';
import { startServer } from '../processes/start-server.ts';
import type { ServerCommand } from './measure-requests.ts';

export type StartUpSample = { readonly server: ContenderName; readonly milliseconds: number };

/**
 * Starts each server once, alone, and measures the time from the start of its process to its first
 * response.
 */
export async function measureStartUp(
  servers: readonly ServerCommand[],
  cores: Cores,
): Promise<readonly StartUpSample[]> {
  const samples: StartUpSample[] = [];
  for (const { name, command, env } of servers) {
    const server = await startServer(pinned(cores, 'server', command), env);
    samples.push({ server: name, milliseconds: server.startUpMs });
    await server.stop();
  }
  return samples;
}
