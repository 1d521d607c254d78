import type { Credentials, CredentialsSource } from '../uploads/credentials-source.ts';

/** Credentials that stay as they are while the process lives. */
export function createStaticCredentials(credentials: Credentials): CredentialsSource {
  const frozen = Object.freeze({ ...credentials });
  return {
    get: () => Promise.resolve(frozen),
    expiresAt: () => frozen.expiresAt,
    describe: () => ({ ok: true, detail: frozen.securityToken ? 'static, with a session token' : 'static' }),
  };
}
