import { STORAGE_FAILURES } from './storage-error.ts';

/** The calls that the service makes to a bucket, by the storage's own names. */
export const STORAGE_OPERATIONS = [
  ...(['HeadObject', 'InitiateMultipartUpload', 'ListParts'] as const),
  ...(['CompleteMultipartUpload', 'AbortMultipartUpload'] as const),
] as const;
export type StorageOperation = (typeof STORAGE_OPERATIONS)[number];

/**
 * How a call ended: with a result, with the absence of the object or of the multipart upload, or
 * with a failure. It is a result, too, that an object exists already, or that parts have changed.
 */
export const STORAGE_OUTCOMES = ['ok', 'absent', ...STORAGE_FAILURES] as const;
export type StorageOutcome = (typeof STORAGE_OUTCOMES)[number];

/** Observes the calls to the storage. Its functions return at once and never throw. */
export type StorageObserver = {
  /** @returns a function that is called once, when the call has ended. */
  callStarted(operation: StorageOperation): (outcome: StorageOutcome) => void;
};
