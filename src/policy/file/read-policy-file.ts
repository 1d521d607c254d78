import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from '../../text/system-error.ts';
import { NotTextError, readFault } from '../../text/text-file.ts';
import type { Policy } from '../policy.ts';
import { parsePolicy } from './parse-policy.ts';

/** A policy file and the key sets that it names, as of one reading. */
export type LoadedPolicy = {
  /** 12 hexadecimal digits; the same for the same content of the same files. */
  readonly version: string;
} & (
  | { readonly policy: Policy }
  /** One sentence each, without any secret. */
  | { readonly faults: readonly string[] }
);

/** The values of `${NAME}` and `secretEnv` in the policy. */
type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the policy file. Never throws: a file that cannot be read is a fault.
 * @param readFile reads a file as text; throws if it cannot.
 * @param faultsOf returns the faults of a policy in this configuration, one sentence each.
 */
export function readPolicyFile(
  path: string,
  env: EnvironmentVariables,
  readFile: (path: string) => string,
  faultsOf?: (policy: Policy) => readonly string[],
): LoadedPolicy {
  return createPolicyReader(path, env, readFile, faultsOf)();
}

/**
 * Returns a function that reads and checks the policy file. While no file has changed, the function
 * returns the same object without checking again, because requests wait during a check, and a check
 * takes much longer than reading.
 */
export function createPolicyReader(
  path: string,
  env: EnvironmentVariables,
  readFile: (path: string) => string,
  faultsOf: (policy: Policy) => readonly string[] = () => [],
): () => LoadedPolicy {
  let last: { readonly contents: ReadonlyMap<string, string>; readonly loaded: LoadedPolicy } | undefined;

  return () => {
    if (last && [...last.contents].every(([file, content]) => readContent(file).content === content))
      return last.loaded;
    const contents = new Map<string, string>();
    const parsed = parse(path, env, (file) => {
      const { content, text } = readContent(file);
      contents.set(file, content);
      return text();
    });
    const faults = 'policy' in parsed ? faultsOf(parsed.policy) : [];
    const result = faults.length === 0 ? parsed : { faults };
    const digest = createHash('sha256');
    for (const [file, content] of contents) digest.update(`${file}\0${content}`);
    last = { contents, loaded: { version: digest.digest('hex').slice(0, 12), ...result } };
    return last.loaded;
  };

  /**
   * Reads a file without throwing. `content` is its text and a NUL, or the reason why it cannot be
   * read, which contains no NUL. `text` returns the text or throws the error.
   */
  function readContent(file: string): { readonly content: string; readonly text: () => string } {
    try {
      const text = readFile(file);
      return { content: `${text}\0`, text: () => text };
    } catch (error) {
      return {
        content: readFault(error),
        text: () => {
          throw error;
        },
      };
    }
  }
}

function parse(
  path: string,
  env: EnvironmentVariables,
  readFile: (path: string) => string,
): { readonly policy: Policy } | { readonly faults: readonly string[] } {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return {
      faults: [
        error instanceof NotTextError
          ? `${path}:${error.line} ${error.message}.`
          : `POLICY_FILE ${readFault(error)}: ${path}.${systemErrorCode(error) === 'ENOENT' ? ` Copy policy.example.yaml to ${path} to begin.` : ''}`,
      ],
    };
  }
  const parsed = parsePolicy(text, { env, readFile: (file) => readFile(resolve(dirname(path), file)) });
  if ('policy' in parsed) return parsed;
  return {
    faults: parsed.faults.map(
      ({ line, path: where, detail }) =>
        `${path}:${line} ${where ? `${where} ` : ''}${detail}${detail.endsWith('?') ? '' : '.'}`,
    ),
  };
}
