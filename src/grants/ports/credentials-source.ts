import { ServiceError } from '../../errors.ts';

/** One frozen value: id, secret and token always come from one answer of their source. */
export type Credentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Present with temporary credentials (STS). */
  readonly securityToken?: string;
  /** When the credentials end; absent when they do not, or when nobody knows. */
  readonly expiresAt?: Date;
};

/** Credentials that end sooner sign nothing: the URL would die on its way to the client. */
export const MIN_CREDENTIALS_SECONDS = 30;

/**
 * Where the cloud credentials come from.
 *
 * `get` answers with credentials that are valid now, or rejects; it never answers with a mix of two values. It is called
 * once per signature, so an implementation caches. A ServiceError that it rejects with reaches the client; any other
 * becomes `unavailable`. `describe` says for `/readyz` whether `get` would succeed, without any of the secrets, and
 * `expiresAt` when the credentials in use end: undefined when there are none, when they do not end, and when nobody knows.
 * Neither throws or starts network.
 */
export type CredentialsSource = {
  get(): Promise<Credentials>;
  describe(): { readonly ok: boolean; readonly detail: string };
  expiresAt(): Date | undefined;
};

/**
 * The rejection of a request for which there are no valid credentials.
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
