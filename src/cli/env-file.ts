import { parseEnv } from 'node:util';
import type { Environment } from '../config/environment.ts';
import { readFault } from '../text/text-file.ts';

/** In the working directory; what `npm start` and every command read besides the environment. */
export const ENV_FILE = '.env';

export type EnvFile =
  | {
      readonly env: Environment;
      /** The variables that came from the file, in the order of the alphabet. */
      readonly names: readonly string[];
    }
  /** One sentence without any value. */
  | { readonly fault: string };

/** One or more lines that Node.js reads as a variable, a comment or nothing. A value in quotation marks may have several lines. */
const ENTRY =
  /[^\S\n]*(?:(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*=[ \t]*(?:"[^"]*"[^\n]*|'[^']*'[^\n]*|`[^`]*`[^\n]*|(?![ \t"'`])[^\n]*)|(?:#[^\n]*)?)(?:\n|$)/y;

/**
 * Adds the variables of `.env` to the environment, by Node's own rules for such files. A variable that the environment already has,
 * also an empty one, stays unchanged. Without the file, the environment is all there is.
 * @param readFile reads a file as text; throws when it cannot.
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

/** Node.js skips a line that it cannot read, so that a variable would be missing without a word. */
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
