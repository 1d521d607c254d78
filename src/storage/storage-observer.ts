import { STORAGE_FAILURES } from './storage-error.ts';

/** The calls that the service makes to a bucket, by the storage's own names. */
export const STORAGE_OPERATIONS = ['HeadObject'] as const;
export type StorageOperation = (typeof STORAGE_OPERATIONS)[number];

/** How a call ended: with a description of the object, with its absence, or with a failure. */
export const STORAGE_OUTCOMES = ['ok', 'absent', ...STORAGE_FAILURES] as const;
export type StorageOutcome = (typeof STORAGE_OUTCOMES)[number];

/** Observes the calls to the storage. Its functions return at once and never throw. */
export type StorageObserver = {
  /** @returns a function that is called once, when the call has ended. */
  callStarted(operation: StorageOperation): (outcome: StorageOutcome) => void;
};
