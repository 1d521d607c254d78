import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Environment } from '../../config/config.ts';
import { NotTextError, readFault } from '../../text/text-file.ts';
import type { Policy } from '../policy.ts';
import { parsePolicy } from './parse-policy.ts';

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
  return createPolicyReader(path, env, readFile)();
}

/**
 * The same again and again: as long as all files hold what they held, it answers with the reading that it has. Checking a policy
 * takes many times as long as reading it, in which all requests would wait.
 */
export function createPolicyReader(
  path: string,
  env: Environment,
  readFile: (path: string) => string,
): () => PolicyReading {
  let last: { readonly found: ReadonlyMap<string, string>; readonly reading: PolicyReading } | undefined;

  return () => {
    if (last && [...last.found].every(([file, content]) => lookAt(file).content === content))
      return last.reading;
    const found = new Map<string, string>();
    const result = parse(path, env, (file) => {
      const { content, text } = lookAt(file);
      found.set(file, content);
      return text();
    });
    const contents = createHash('sha256');
    for (const [file, content] of found) contents.update(`${file}\0${content}`);
    last = { found, reading: { version: contents.digest('hex').slice(0, 12), ...result } };
    return last.reading;
  };

  /** What a file holds, with an end that tells it from the code of an error; or that code, and the error where its text is wanted. */
  function lookAt(file: string): { readonly content: string; readonly text: () => string } {
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
  env: Environment,
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
          : `POLICY_FILE ${readFault(error)}: ${path}.${codeOf(error) === 'ENOENT' ? ` Copy policy.example.yaml to ${path} to begin.` : ''}`,
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

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
