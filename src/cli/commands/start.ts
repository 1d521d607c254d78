import type { Command } from '../command.ts';
import { environmentOf, POLICY_OPTION } from '../policy-option.ts';

/** `oss-presign start`: what `npm start` does. */
export const startCommand: Command = {
  name: 'start',
  summary: 'run the service',
  description: `Runs the service until SIGTERM or SIGINT, configured by the environment and the policy file. It refuses to start
when anything of these is wrong, and says what. Variables that the environment lacks are taken from .env in the working directory.`,
  options: { policy: POLICY_OPTION },
  example: 'OSS_ACCESS_KEY_ID=… OSS_ACCESS_KEY_SECRET=… oss-presign start --policy policy.yaml',
  exitCodes: { 0: 'it was asked to stop and has stopped', 1: 'it cannot start, and stderr says why' },
  run: async (options, { env, startService }) => {
    await startService(environmentOf(options, env));
    return undefined;
  },
};
