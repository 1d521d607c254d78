import { ServiceError } from '../errors.ts';
import { StorageError } from '../storage/storage-error.ts';

/** Seconds after which a client may try again. */
const RETRY_AFTER_SECONDS = { busy: 1, unreachable: 5 } as const;

/**
 * The rejection for a call to the storage that failed: {@link storageFailure}, or the error of the
 * source of the credentials.
 * @throws whatever is neither a failure of the storage nor a rejection: a bug.
 */
export function rejectionByStorage(error: unknown): ServiceError {
  if (error instanceof StorageError) return storageFailure(error);
  if (error instanceof ServiceError) return error;
  throw error;
}

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
