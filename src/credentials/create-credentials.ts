import type { Clock } from '../clock.ts';
import type { CredentialsConfig } from './credentials-config.ts';
import { createFileCredentials } from './files/file-credentials.ts';
import type { CredentialsLog, ManagedCredentials } from './managed-credentials.ts';
import { createStaticCredentials } from './static-credentials.ts';

export type CreateCredentialsOptions = {
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /**
   * Finds the folder that holds the profiles of the default chain, e.g. `os.homedir`. Called for the default chain only, because it
   * throws for a user without an entry in the password database, which a container with an arbitrary user id has.
   */
  readonly findHomeDirectory: () => string;
};

/**
 * The cloud credentials, from wherever the configuration says.
 * @throws Error where there are none to be had and waiting would not help; its message may be shown to operators.
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
      // Loading the library takes 16 MB of memory, which a service with other credentials need not pay.
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
