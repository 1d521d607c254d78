import { dirname, resolve } from 'node:path';
import { type Config, type Environment, loadConfig } from './config.ts';
import { parsePolicy } from './policy/file/parse-policy.ts';
import type { Policy } from './policy/policy.ts';

/**
 * Checks everything that has to be right before the service may start: environment, credentials and policy.
 * @param readFile reads a file as text; throws when it cannot.
 * @returns what the service runs on, or every fault at once, one sentence each, without any secret.
 */
export function prepare(
  env: Environment,
  readFile: (path: string) => string,
): { readonly config: Config; readonly policy: Policy } | { readonly faults: readonly string[] } {
  const loaded = loadConfig(env, readFile);
  const policyFile = env.POLICY_FILE?.trim() || 'policy.yaml';
  const parsed = readPolicy(policyFile, env, readFile);
  if ('config' in loaded && 'policy' in parsed) return { config: loaded.config, policy: parsed.policy };
  return {
    faults: [...('faults' in loaded ? loaded.faults : []), ...('faults' in parsed ? parsed.faults : [])],
  };
}

function readPolicy(
  path: string,
  env: Environment,
  readFile: (path: string) => string,
): { readonly policy: Policy } | { readonly faults: readonly string[] } {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return {
      faults: [`POLICY_FILE cannot be read (${code}): ${path}. Without a policy nobody may upload anything.`],
    };
  }
  const parsed = parsePolicy(text, { env, readFile: (file) => readFile(resolve(dirname(path), file)) });
  if ('policy' in parsed) return parsed;
  return {
    faults: parsed.faults.map(
      ({ line, path: where, detail }) => `${path}:${line} ${where ? `${where} ` : ''}${detail}.`,
    ),
  };
}
