import { StorageError, type StorageFailure, type StorageFailureDetails } from '../storage-error.ts';
import type { StorageOperation } from '../storage-observer.ts';

/** Codes of errors that pass, which OSS can also send as the body of a response with 200. */
const TRANSIENT: ReadonlySet<string> = new Set([
  ...['InternalError', 'ServiceUnavailable', 'SlowDown', 'RequestTimeout'],
]);

type Details = StorageFailureDetails & { readonly status: number };

/** A response of OSS that has no result: its error, or one that OSS does not document. */
export function failure(operation: StorageOperation, details: Details, host: string): StorageError {
  const { status, code, ec } = details;
  const reason = [status, code, ec].filter((part) => part !== undefined).join(' ');
  return new StorageError(kindOf(details), `${host} responded to ${operation} with ${reason}`, details);
}

function kindOf({ status, code }: Details): StorageFailure {
  if (status >= 500 || status === 429 || status === 408) return 'busy';
  if (code !== undefined && TRANSIENT.has(code)) return 'busy';
  if (status < 400) return status < 300 && code !== undefined ? 'denied' : 'invalid_response';
  // Without a code of OSS, a server in front of it may not know the address.
  return status === 404 && code === undefined ? 'invalid_response' : 'denied';
}
