import type { Credentials } from '../grants/ports/credentials-source.ts';
import type { ManagedCredentials } from './managed-credentials.ts';

/** Creates a source of credentials that never change. */
export function createStaticCredentials(credentials: Credentials): ManagedCredentials {
  const frozen = Object.freeze({ ...credentials });
  return {
    get: () => Promise.resolve(frozen),
    describe: () => ({ ok: true, detail: frozen.securityToken ? 'static, with a session token' : 'static' }),
    expiresAt: () => frozen.expiresAt,
    keepFresh: () => Promise.resolve(),
  };
}
