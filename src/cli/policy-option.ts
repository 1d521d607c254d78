import { policyFileOf } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { readPolicyFile } from '../policy/file/read-policy-file.ts';
import type { Policy } from '../policy/policy.ts';
import { CannotRun, type CliContext, type CommandOption, type OptionValues } from './command.ts';

/** The option of every command that works on the policy. */
export const POLICY_OPTION: CommandOption = {
  value: 'FILE',
  description: 'The policy file; by default POLICY_FILE, or else policy.yaml.',
};

/** The environment as the options change it. */
export function environmentOf({ policy }: OptionValues, env: Environment): Environment {
  return policy?.[0] === undefined ? env : { ...env, POLICY_FILE: policy[0] };
}

/**
 * The policy that a command works on; it needs no credentials and nothing else of the environment.
 * @throws CannotRun with every fault of the file.
 */
export function policyOf(options: OptionValues, { env, readFile }: CliContext): Policy {
  const environment = environmentOf(options, env);
  const file = policyFileOf(environment);
  if ('fault' in file) throw new CannotRun(file.fault);
  const read = readPolicyFile(file.path, environment, readFile);
  if ('faults' in read) throw new CannotRun(...read.faults);
  return read.policy;
}
