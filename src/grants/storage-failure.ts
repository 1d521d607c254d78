import { ServiceError } from '../errors.ts';
import type { StorageError } from '../storage/storage-error.ts';

/** Seconds after which a client may try again. */
const RETRY_AFTER_SECONDS = { busy: 1, unreachable: 5 } as const;

/**
 * Returns the error that the client receives for a failed call to the storage: `unavailable` if a
 * later try can succeed, otherwise `storage_error`. The storage's own reason goes to the log only.
 */
export function storageFailure(error: Pick<StorageError, 'kind' | 'details'>): ServiceError {
  const { kind, details } = error;
  const logFields = {
    storageFailure: kind,
    ...(details.status !== undefined && { storageStatus: String(details.status) }),
    ...(details.code !== undefined && { storageCode: details.code }),
    ...(details.ec !== undefined && { storageEc: details.ec }),
    ...(details.requestId !== undefined && { storageRequestId: details.requestId }),
  };
  switch (kind) {
    case 'busy':
    case 'unreachable':
      return new ServiceError(
        'unavailable',
        'The object storage does not respond to the service at the moment; try again later.',
        { cause: error, logFields, headers: { 'Retry-After': String(RETRY_AFTER_SECONDS[kind]) } },
      );
    case 'denied':
    case 'invalid_response':
      return new ServiceError(
        'storage_error',
        'The object storage rejects the call of the service. Quote the request id when you report it.',
        { cause: error, logFields },
      );
  }
}
