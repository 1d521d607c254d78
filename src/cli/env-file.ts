import { parseEnv } from 'node:util';
import type { Environment } from '../config/environment.ts';
import { readFault } from '../text/text-file.ts';

/**
 * The file in the working directory that `npm start` and every command read besides the
 * environment.
 */
export const ENV_FILE = '.env';

export type EnvFile =
  | {
      readonly env: Environment;
      /** The names of the variables that came from the file, sorted. */
      readonly names: readonly string[];
    }
  /** One sentence without any value. */
  | { readonly fault: string };

/**
 * Lines that Node.js reads as a variable, a comment or nothing. A quoted value may have several
 * lines.
 */
const ENTRY =
  /[^\S\n]*(?:(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*=[ \t]*(?:"[^"]*"[^\n]*|'[^']*'[^\n]*|`[^`]*`[^\n]*|(?![ \t"'`])[^\n]*)|(?:#[^\n]*)?)(?:\n|$)/y;

/**
 * Adds the variables of `.env`, parsed by Node.js, to the environment. A variable that the
 * environment already has, even an empty one, stays unchanged. Without the file, the environment is
 * returned as it is.
 * @param readFile reads a file as text; throws if it cannot.
 */
export function readEnvFile(env: Environment, readFile: (path: string) => string): EnvFile {
  let text: string;
  try {
    text = readFile(ENV_FILE).replace(/^\uFEFF/, '');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing ? { env, names: [] } : { fault: `${ENV_FILE} ${readFault(error)}.` };
  }
  if (/[\uFFFD\0]/.test(text)) return { fault: `${ENV_FILE} is not UTF-8 text.` };
  const fault = syntaxFault(text.replaceAll('\r', ''));
  if (fault !== undefined) return { fault };
  const variables = parseEnv(text);
  return {
    env: { ...variables, ...env },
    names: Object.keys(variables)
      .filter((name) => !(name in env))
      .sort(),
  };
}

/**
 * Node.js skips a line that it cannot parse, and the variable would be missing without an error.
 */
function syntaxFault(text: string): string | undefined {
  ENTRY.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    ENTRY.lastIndex = at;
    if (!ENTRY.test(text)) {
      const where = `${ENV_FILE} line ${text.slice(0, at).split('\n').length}`;
      const [line = ''] = text.slice(at).split('\n', 1);
      return /^[^=]*=[ \t]*["'`]/.test(line)
        ? `${where}: the quotation mark before the value is never closed.`
        : `${where}: expected NAME=value or a comment.`;
    }
    at = ENTRY.lastIndex;
  }
  return undefined;
}
