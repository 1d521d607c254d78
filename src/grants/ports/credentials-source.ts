import { ServiceError } from '../../errors.ts';

/** One frozen value: id, secret and token always come from one response of their source. */
export type Credentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Present with temporary credentials (STS). */
  readonly securityToken?: string;
  /** When the credentials expire; absent if they do not, or if the time is not known. */
  readonly expiresAt?: Date;
};

/**
 * Credentials that expire sooner are not used: the URL could expire before it reaches the client.
 */
export const MIN_CREDENTIALS_SECONDS = 30;

/**
 * A source of the credentials that sign.
 *
 * `get` resolves with credentials that are valid now, or rejects. It never mixes two values. It is
 * called for each signature, so an implementation caches. If it rejects with a ServiceError, the
 * client receives that error; any other error becomes `unavailable`. `describe` reports to
 * `/readyz` whether `get` would succeed, without any secret. `expiresAt` returns when the
 * credentials in use expire: undefined if there are none, if they do not expire, or if the time is
 * not known. Neither throws or uses the network.
 */
export type CredentialsSource = {
  get(): Promise<Credentials>;
  describe(): { readonly ok: boolean; readonly detail: string };
  expiresAt(): Date | undefined;
};

/**
 * Creates the error for a request that comes while there are no valid credentials.
 * @param cause goes to the log only.
 * @param retryAfterSeconds the response's `Retry-After`; default 5.
 */
export function credentialsUnavailable(cause: unknown, retryAfterSeconds = 5): ServiceError {
  return new ServiceError(
    'unavailable',
    'The service has no valid cloud credentials at the moment; try again later.',
    { cause, headers: { 'Retry-After': String(retryAfterSeconds) } },
  );
}
