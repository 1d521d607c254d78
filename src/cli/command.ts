import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { CredentialsSource } from '../grants/ports/credentials-source.ts';

/** What a command may touch of the world. */
export type CliContext = {
  readonly env: Environment;
  /** Reads a file as text; throws when it cannot. */
  readonly readFile: (path: string) => string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly write: (stream: 'stdout' | 'stderr', text: string) => void;
  /** Writes a new file, whole or not at all; throws when it cannot, with code `EEXIST` when the file exists. */
  readonly writeFile: (path: string, text: string) => void;
  /** Rejects with an Error whose message may be shown where there are none to be had. */
  readonly createCredentials: (credentials: Config['credentials']) => Promise<CredentialsSource>;
  /** Runs the service in this process, with this environment. Resolves when it listens. */
  readonly startService: (env: Environment) => Promise<void>;
  /** Of the package. */
  readonly version: string;
};

export type CommandOption = {
  /** How the help calls the value: `FILE`. */
  readonly value: string;
  readonly description: string;
  readonly isRequired?: true;
  /** May be given several times. */
  readonly isRepeatable?: true;
};

/** The values of each option that was given, in order. */
export type OptionValues = Readonly<Record<string, readonly string[] | undefined>>;

export type Command = {
  readonly name: string;
  /** For the overview: one line without a full stop. */
  readonly summary: string;
  readonly description: string;
  /** By name, without dashes. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** A whole command line that does something useful. */
  readonly example: string;
  /** What each exit code means; 2, for a command that could not be run, is that of all. */
  readonly exitCodes: Readonly<Record<number, string>>;
  /** The exit code; undefined when the process lives on. Throws {@link CannotRun} for what it cannot work with. */
  readonly run: (options: OptionValues, context: CliContext) => Promise<number | undefined>;
};

/** A command cannot do its work with what it was given: one sentence per fault, for stderr, without any secret. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
  readonly faults: readonly string[];

  constructor(...faults: readonly string[]) {
    super(faults.join(' '));
    this.faults = faults;
  }
}
