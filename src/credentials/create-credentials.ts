import type { Clock } from '../clock.ts';
import type { CredentialsConfig } from './credentials-config.ts';
import { createFileCredentials } from './files/file-credentials.ts';
import type { CredentialsLog, ManagedCredentials } from './managed-credentials.ts';
import { createStaticCredentials } from './static-credentials.ts';

export type CreateCredentialsOptions = {
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /**
   * Returns the folder that holds the profiles of the default chain, for example `os.homedir`.
   * Called for the default chain only, because it throws if the user has no entry in the password
   * database, as in a container with an arbitrary user id.
   */
  readonly findHomeDirectory: () => string;
};

/**
 * Creates the source of cloud credentials that the configuration names.
 * @throws Error if there are no credentials and waiting would not help. The message is safe to show
 *   to operators.
 */
export async function createCredentials(
  config: CredentialsConfig,
  { clock, log, findHomeDirectory }: CreateCredentialsOptions,
): Promise<ManagedCredentials> {
  switch (config.source) {
    case 'environment':
      return createStaticCredentials(config.credentials);
    case 'files':
      return createFileCredentials(config.parts, { clock, log });
    case 'default-chain': {
      // Imported on demand: the library takes 16 MB of memory, which other sources do not need.
      const { createChainCredentials } = await import('./chain/chain-credentials.ts');
      const homeDirectory = homeDirectoryOrNone(findHomeDirectory);
      return createChainCredentials(config.environment, { clock, log, homeDirectory });
    }
  }
}

function homeDirectoryOrNone(findHomeDirectory: () => string): string | undefined {
  try {
    return findHomeDirectory();
  } catch {
    return undefined;
  }
}
