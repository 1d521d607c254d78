import { type Fault, type PartRange, ServiceError, summarizeFaults } from '../../errors.ts';
import type { Transfer } from '../../policy/actions.ts';
import type { CompletedUpload } from './response.ts';

/**
 * Rejects an id that cannot be used. One text for every cause, so that it discloses nothing about
 * an upload of another caller.
 */
export function uploadIdInvalid(): ServiceError {
  return new ServiceError(
    'upload_id_invalid',
    'The id is not one of this caller’s uploads, or the policy no longer covers it; send the id of the grant with a token of its caller, or request a new upload.',
  );
}

export function uploadIdExpired(): ServiceError {
  return new ServiceError('upload_id_expired', 'The id has expired; request a new upload.');
}

export function uploadAbsent(transfer: Transfer): ServiceError {
  return new ServiceError(
    'upload_absent',
    transfer === 'multipart'
      ? 'The upload is no longer under way, and its object is not stored; request a new upload.'
      : 'The object is not stored; send the bytes, or request a new upload if the URL has expired.',
  );
}

/** @param missing the parts that are not stored with their length, in ascending order. */
export function uploadIncomplete(missing: readonly PartRange[], partCount: number): ServiceError {
  const count = missing.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return new ServiceError(
    'upload_incomplete',
    `${count} of ${partCount} parts are not stored with the length that was granted; send them, then complete the upload again.`,
    { missing },
  );
}

/** @param differences what differs, without any stored value. */
export function uploadMismatch(differences: readonly Fault[]): ServiceError {
  return new ServiceError('upload_mismatch', summarizeFaults(differences), { errors: differences });
}

/** @param upload the response that has the receipt; undefined if the caller may not have one. */
export function notificationFailed(upload: CompletedUpload | undefined): ServiceError {
  return new ServiceError(
    'notification_failed',
    'The object is stored, but the backend has not accepted the notification; send this request again later, and do not upload the file again.',
    upload && { upload },
  );
}
