import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Environment } from './config.ts';
import { parsePolicy } from './policy/file/parse-policy.ts';
import type { Policy } from './policy/policy.ts';

/** What a policy file held, together with the key sets that it names, when it was read. */
export type PolicyReading = {
  /** 12 hexadecimal digits; the same for the same content of the same files. */
  readonly version: string;
} & (
  | { readonly policy: Policy }
  /** One sentence each, without any secret. */
  | { readonly faults: readonly string[] }
);

/**
 * Reads and checks the policy file. Never throws: what cannot be read is a fault.
 * @param readFile reads a file as text; throws when it cannot.
 */
export function readPolicyFile(
  path: string,
  env: Environment,
  readFile: (path: string) => string,
): PolicyReading {
  const contents = createHash('sha256');
  const read = (file: string): string => {
    contents.update(`${file}\0`);
    try {
      const text = readFile(file);
      contents.update(`${text}\0`);
      return text;
    } catch (error) {
      contents.update(codeOf(error));
      throw error;
    }
  };
  const result = parse(path, env, read);
  return { version: contents.digest('hex').slice(0, 12), ...result };
}

function parse(
  path: string,
  env: Environment,
  readFile: (path: string) => string,
): { readonly policy: Policy } | { readonly faults: readonly string[] } {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return {
      faults: [
        `POLICY_FILE cannot be read (${codeOf(error)}): ${path}. Without a policy nobody may upload anything.`,
      ],
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

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
