import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { CredentialsSource } from '../grants/ports/credentials-source.ts';

/** Everything outside the process that a command may use. */
export type CliContext = {
  readonly env: Environment;
  /** Reads a file as text; throws if it cannot. */
  readonly readFile: (path: string) => string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly write: (stream: 'stdout' | 'stderr', text: string) => void;
  /**
   * Writes a new file, completely or not at all. Throws if it cannot, with code `EEXIST` if the
   * file exists.
   * @param mode who may read and write it; by default what the user's mask allows.
   */
  readonly writeFile: (path: string, text: string, mode?: number) => void;
  /**
   * Replaces an existing file, completely or not at all. Throws if it cannot, with code `ELOOP` for
   * a symbolic link.
   */
  readonly replaceFile: (path: string, text: string) => void;
  /** Creates a random UUID. */
  readonly newUuid: () => string;
  /** Creates a P-256 private key. */
  readonly newPrivateKey: () => KeyObject;
  /** Rejects if no credentials are available. The message of the Error may be shown. */
  readonly createCredentials: (
    credentials: Config['credentials'],
    env: Environment,
  ) => Promise<CredentialsSource>;
  /** Runs the service in this process, with this environment. Resolves when it listens. */
  readonly startService: (env: Environment) => Promise<void>;
  /** The version of the package. */
  readonly version: string;
};

export type CommandOption = {
  /** The name of the value in the help, e.g. `FILE`; absent for an option without a value. */
  readonly value?: string;
  readonly description: string;
  readonly isRequired?: true;
  /** May be given several times. */
  readonly isRepeatable?: true;
};

/** The values of each option that was given, in order; none for an option without a value. */
export type OptionValues = Readonly<Record<string, readonly string[] | undefined>>;

export type Command = {
  readonly name: string;
  /** One line without a full stop, for the overview. */
  readonly summary: string;
  readonly description: string;
  /** By name, without dashes. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** A whole command line that does something useful. */
  readonly example: string;
  /** The meaning of each exit code. Code 2, a usage error, is common to all commands. */
  readonly exitCodes: Readonly<Record<number, string>>;
  /**
   * Returns the exit code, or undefined if the process keeps running. Throws {@link CannotRun} for
   * a usage error.
   */
  readonly run: (options: OptionValues, context: CliContext) => Promise<number | undefined>;
};

/**
 * A usage error: the command cannot run with its input. One sentence per fault, without any secret,
 * for stderr.
 */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
  readonly faults: readonly string[];

  constructor(...faults: readonly string[]) {
    super(faults.join(' '));
    this.faults = faults;
  }
}
