import { ServiceError } from '../errors.ts';

/** Rejects an upload because the storage has another object under its key and may not replace it. */
export function objectExists(): ServiceError {
  return new ServiceError(
    'object_exists',
    'There is another object under this key already; request an upload with another key.',
  );
}
