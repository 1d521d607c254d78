import type { CredentialsSource } from '../grants/ports/credentials-source.ts';

/**
 * A source that is kept up to date in the background.
 *
 * `keepFresh` does the work that is due: it reads replaced files, or renews credentials that expire
 * soon. The service calls it about once per second, even while the last call is still running. It
 * never rejects.
 */
export type ManagedCredentials = CredentialsSource & { keepFresh(): Promise<void> };

/** The log of a source, for example a pino logger. Each change is logged once, without secrets. */
export type CredentialsLog = {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
};
