import { join } from 'node:path';
import process from 'node:process';
import { START_COMMAND } from '../processes/start-command.ts';
import type { BenchSetup } from '../setup/setup.ts';
import type { ServerCommand } from './measure-requests.ts';

/** The command of each server. Servers whose tool is missing are left out. */
export function serverCommands(
  setup: BenchSetup,
  tools: { readonly goPeer: string | undefined; readonly redisUrl: string | undefined },
): readonly ServerCommand[] {
  const bench = join(import.meta.dirname, '..');
  const node = (file: string, ...args: readonly string[]) => [process.execPath, join(bench, file), ...args];
  const { serviceEnv, peerSettingsFile } = setup;
  return [
    { name: 'node-http', command: node('references/node-http.ts'), env: {} },
    { name: 'fastify', command: node('references/fastify.ts'), env: {} },
    { name: 'ours', command: START_COMMAND, env: serviceEnv },
    ...(tools.redisUrl
      ? [
          {
            name: 'valkey',
            command: START_COMMAND,
            env: { ...serviceEnv, REDIS_URL: tools.redisUrl },
          } as const,
        ]
      : []),
    { name: 'typescript', command: node('peers/typescript.ts', peerSettingsFile), env: {} },
    ...(tools.goPeer
      ? [
          {
            name: 'go',
            command: [tools.goPeer, 'serve', peerSettingsFile],
            env: { GOMAXPROCS: '1' },
          } as const,
        ]
      : []),
  ];
}
