import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import type { Signing } from '../storage/object-storage.ts';
import { isoSeconds } from '../text/iso-seconds.ts';
import { type ExpiryLimit, limitExpiry } from './limit-expiry.ts';
import {
  type Credentials,
  type CredentialsSource,
  credentialsUnavailable,
  MIN_CREDENTIALS_SECONDS,
} from './ports/credentials-source.ts';

/** The validity of a signed URL, as responses state it. */
export type Validity = {
  /** Seconds from `serverTime`. */
  readonly expires: number;
  readonly expiresAt: string;
  readonly expiresLimitedBy: ExpiryLimit;
  /** When the URL was signed, by the clock of the service. */
  readonly serverTime: string;
};

/**
 * Returns the current credentials, which are valid for at least {@link MIN_CREDENTIALS_SECONDS}.
 * @throws ServiceError `unavailable` if there are none.
 */
export async function usableCredentials({
  credentials,
  clock,
}: {
  readonly credentials: Pick<CredentialsSource, 'get'>;
  readonly clock: Clock;
}): Promise<Credentials> {
  let current: Credentials;
  try {
    current = await credentials.get();
  } catch (error) {
    throw error instanceof ServiceError ? error : credentialsUnavailable(error);
  }
  if (current.expiresAt !== undefined) rejectExpiringCredentials(current.expiresAt, clock());
  return current;
}

/**
 * Determines how long URLs that are signed now are valid. No URL outlives its credentials.
 * @param expiresIn seconds, if the request names them.
 * @param defaultSeconds the rule's default.
 */
export function startSigning(
  credentials: Credentials,
  signedAt: Date,
  expiresIn: number | undefined,
  defaultSeconds: number,
): { readonly signing: Signing; readonly validity: Validity } {
  const { expiresInSeconds, limitedBy } = limitExpiry(
    expiresIn,
    defaultSeconds,
    credentials.expiresAt && secondsUntil(credentials.expiresAt, signedAt),
  );
  const signedSecond = secondOf(signedAt);
  return {
    signing: { credentials, signedAt, expiresInSeconds },
    validity: {
      expires: expiresInSeconds,
      expiresAt: isoSeconds(signedSecond + expiresInSeconds),
      expiresLimitedBy: limitedBy,
      serverTime: isoSeconds(signedSecond),
    },
  };
}

function rejectExpiringCredentials(expiresAt: Date, now: Date): void {
  const secondsLeft = secondsUntil(expiresAt, now);
  if (secondsLeft < MIN_CREDENTIALS_SECONDS) {
    throw credentialsUnavailable(new Error(`the cloud credentials end in ${secondsLeft} s`));
  }
}

/**
 * Cuts both instants to whole seconds, as the signature does. The stated expiry is never later than
 * the real one.
 */
function secondsUntil(end: Date, now: Date): number {
  return secondOf(end) - secondOf(now);
}

function secondOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
