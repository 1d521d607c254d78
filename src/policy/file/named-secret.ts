import { readFault } from '../../text/text-file.ts';

export type PolicySources = {
  /** The environment variables for `${NAME}` and `secretEnv`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a `jwksFile` or `secretFile`; throws when it cannot. */
  readonly readFile: (path: string) => string;
};

/** Reports a fault of a field of the entry. */
export type ReportFieldFault = (field: string, detail: string) => void;

/**
 * Returns a field's text as in the file, with its placeholders. Faults must not show a value of the
 * environment.
 */
export type Written = (field: string) => string;

/**
 * Reads the secret that an entry of the policy file names by `secretEnv` or `secretFile`, and
 * reports the fault if it cannot be used. `entry` may be of any shape; the schema reports a wrong
 * one.
 * @param decode returns the secret of a text, or the fault, which begins with `subject` and never
 *   contains the secret.
 * @returns undefined if the entry names no secret.
 */
export function readNamedSecret<Secret extends object>(
  { secretEnv, secretFile }: Readonly<Record<string, unknown>>,
  { env, readFile }: PolicySources,
  report: ReportFieldFault,
  written: Written,
  decode: (text: string, subject: string) => Secret | string,
): Secret | 'unusable' | undefined {
  if (typeof secretEnv === 'string') {
    const text = Object.hasOwn(env, secretEnv) ? env[secretEnv] : undefined;
    const decoded =
      text === undefined || text === ''
        ? `names the environment variable ${written('secretEnv')}, which is not set`
        : decode(text, `names ${written('secretEnv')}, which`);
    if (typeof decoded !== 'string') return decoded;
    report('secretEnv', decoded);
    return 'unusable';
  }
  if (typeof secretFile === 'string') {
    let decoded: Secret | string;
    try {
      // Editors, `echo` and secret stores end a file with a line break, and some begin it with a
      // byte order mark.
      const text = readFile(secretFile)
        .replace(/^\ufeff/, '')
        .replace(/\r?\n$/, '');
      decoded = decode(text, `names ${written('secretFile')}, which`);
    } catch (error) {
      decoded = `${readFault(error)}: ${written('secretFile')}`;
    }
    if (typeof decoded !== 'string') return decoded;
    report('secretFile', decoded);
    return 'unusable';
  }
  return undefined;
}
