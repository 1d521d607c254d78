/** OSS's limit for the life of a presigned URL. */
const MAXIMUM_SECONDS = 604_800;

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
  if (grantedSeconds <= leftSeconds && grantedSeconds <= MAXIMUM_SECONDS) {
    return {
      expiresInSeconds: grantedSeconds,
      limitedBy: requestedSeconds === undefined ? 'rule' : 'request',
    };
  }
  return leftSeconds <= MAXIMUM_SECONDS
    ? { expiresInSeconds: leftSeconds, limitedBy: 'credentials' }
    : { expiresInSeconds: MAXIMUM_SECONDS, limitedBy: 'maximum' };
}
