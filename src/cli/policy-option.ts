import { policyFileOf } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { readPolicyFile } from '../policy/file/read-policy-file.ts';
import type { Policy } from '../policy/policy.ts';
import { CannotRun, type CliContext, type CommandOption, type OptionValues } from './command.ts';

/** The option of every command that reads the policy. */
export const POLICY_OPTION: CommandOption = {
  value: 'FILE',
  description: 'The policy file. Default: POLICY_FILE, or policy.yaml if that is not set.',
};

/** The environment with the options applied. */
export function environmentOf({ policy }: OptionValues, env: Environment): Environment {
  return policy?.[0] === undefined ? env : { ...env, POLICY_FILE: policy[0] };
}

/**
 * Reads the policy for a command. Needs no credentials, and no other variable.
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
