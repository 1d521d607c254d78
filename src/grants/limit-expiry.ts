import { MAX_EXPIRES_IN_SECONDS } from '../storage/limits.ts';

export type ExpiryLimit = 'request' | 'rule' | 'credentials' | 'maximum';

export type Expiry = { readonly expiresInSeconds: number; readonly limitedBy: ExpiryLimit };

/**
 * The real life of a URL: the lowest of what the request asks for (or else the rule's default), what is left of the
 * credentials, and the 604,800 s of OSS. Of equal ones the first in that order is named.
 * @param credentialsSecondsLeft undefined when the credentials do not end.
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
