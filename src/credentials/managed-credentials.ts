import type { CredentialsSource } from '../grants/ports/credentials-source.ts';

/**
 * A source that lives beside the requests.
 *
 * `keepFresh` does what is due now: looks whether files were replaced, renews what ends soon. It is called about once a
 * second, also while the last call goes on; it never rejects.
 */
export type ManagedCredentials = CredentialsSource & { keepFresh(): Promise<void> };

/** Where a source logs each change once, never with a secret. A pino logger fits. */
export type CredentialsLog = {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
};
