import { ServiceError } from '../errors.ts';

/** Rejects an upload whose key has another object, which the upload may not replace. */
export function objectExists(): ServiceError {
  return new ServiceError(
    'object_exists',
    'There is another object under this key already; request an upload with another key.',
  );
}
