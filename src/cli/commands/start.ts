import type { Command } from '../command.ts';
import { environmentOf, POLICY_OPTION } from '../policy-option.ts';

/** `oss-presign start`, which is also `npm start`: runs the service. */
export const startCommand: Command = {
  name: 'start',
  summary: 'run the service',
  description: `Runs the service until SIGTERM or SIGINT, configured by the environment and the policy file. If either has a fault,
it prints all faults and exits with 1. Variables that are not set are read from .env in the working directory.`,
  options: { policy: POLICY_OPTION },
  example: 'OSS_ACCESS_KEY_ID=… OSS_ACCESS_KEY_SECRET=… oss-presign start --policy policy.yaml',
  exitCodes: { 0: 'stopped by a signal', 1: 'cannot start; stderr has the reasons' },
  run: async (options, { env, startService }) => {
    await startService(environmentOf(options, env));
    return undefined;
  },
};
