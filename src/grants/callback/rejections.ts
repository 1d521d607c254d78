import { ServiceError } from '../../errors.ts';

/**
 * Rejects a call that the storage did not sign. One text for every cause; the log has the cause.
 * There is no challenge, because no token would help.
 */
export function callbackNotSigned(): ServiceError {
  return new ServiceError('unauthenticated', 'The call is not signed by OSS for this address and body.');
}

/** Rejects a call whose signature cannot be verified now. */
export function callbackKeyUnavailable(cause: Error): ServiceError {
  return new ServiceError(
    'unavailable',
    'The key that verifies calls of OSS cannot be fetched at the moment; try again later.',
    { cause, headers: { 'Retry-After': '30' } },
  );
}
