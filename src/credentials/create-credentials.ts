import type { Clock } from '../clock.ts';
import type { CredentialsConfig } from './credentials-config.ts';
import { createFileCredentials } from './files/file-credentials.ts';
import type { CredentialsLog, ManagedCredentials } from './managed-credentials.ts';
import { createStaticCredentials } from './static-credentials.ts';

export type CreateCredentialsOptions = {
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /** Where the profiles of the default chain lie. */
  readonly homeDirectory: string;
};

/**
 * The cloud credentials, from wherever the configuration says.
 * @throws Error where there are none to be had and waiting would not help; its message may be shown to operators.
 */
export async function createCredentials(
  config: CredentialsConfig,
  { clock, log, homeDirectory }: CreateCredentialsOptions,
): Promise<ManagedCredentials> {
  switch (config.source) {
    case 'environment':
      return createStaticCredentials(config.credentials);
    case 'files':
      return createFileCredentials(config.parts, { clock, log });
    case 'default-chain': {
      // Loading the library takes 16 MB of memory, which a service with other credentials need not pay.
      const { createChainCredentials } = await import('./chain/chain-credentials.ts');
      return createChainCredentials(config.environment, { clock, log, homeDirectory });
    }
  }
}
