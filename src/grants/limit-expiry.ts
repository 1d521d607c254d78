import { MAX_EXPIRES_IN_SECONDS } from '../storage/limits.ts';

export type ExpiryLimit = 'request' | 'rule' | 'credentials' | 'maximum';

export type Expiry = { readonly expiresInSeconds: number; readonly limitedBy: ExpiryLimit };

/**
 * Returns the validity of a URL and what limits it. The validity is the lowest of the requested one
 * (or the rule's default), the rest of the credentials' lifetime, and the 604,800 s of OSS. If some
 * are equal, the first in this order is named.
 * @param credentialsSecondsLeft undefined if the credentials do not expire.
 */
export function limitExpiry(
  requestedSeconds: number | undefined,
  ruleDefaultSeconds: number,
  credentialsSecondsLeft: number | undefined,
): Expiry {
  const grantedSeconds = requestedSeconds ?? ruleDefaultSeconds;
  const leftSeconds = credentialsSecondsLeft ?? Number.POSITIVE_INFINITY;
  if (grantedSeconds <= leftSeconds && grantedSeconds <= MAX_EXPIRES_IN_SECONDS) {
    return {
      expiresInSeconds: grantedSeconds,
      limitedBy: requestedSeconds === undefined ? 'rule' : 'request',
    };
  }
  return leftSeconds <= MAX_EXPIRES_IN_SECONDS
    ? { expiresInSeconds: leftSeconds, limitedBy: 'credentials' }
    : { expiresInSeconds: MAX_EXPIRES_IN_SECONDS, limitedBy: 'maximum' };
}
