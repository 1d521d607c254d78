import { createCallLimit } from '../../src/storage/call-limit.ts';
import { createBucketClient } from '../../src/storage/oss/bucket-client.ts';
import type { ServiceBucket, SignedCallsOptions } from '../../src/storage/oss/signed-calls.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { fixedClock } from './fixed-clock.ts';
import { BUCKET, LONG_LIVED, REGION } from './test-emulator.ts';

/** An id of a request as OSS makes it. */
export const REQUEST_ID = '51524FBF3C5D68394A371BEC';

/** Records how calls end and how long they wait, without waiting. */
export function createRecordingClient(
  url: string,
  change: Partial<SignedCallsOptions> & { readonly target?: Partial<ServiceBucket> } = {},
) {
  const { target, ...options } = change;
  const outcomes: string[] = [];
  const waits: number[] = [];
  const client = createBucketClient(
    { bucket: BUCKET, region: REGION, serviceEndpoint: { url, addressing: 'path' }, ...target },
    {
      credentials: async () => LONG_LIVED,
      fetch,
      clock: fixedClock,
      timers: { timeout: () => new AbortController().signal, wait: async (ms) => void waits.push(ms) },
      callLimit: createCallLimit(64),
      observer: { callStarted: (operation) => (outcome) => void outcomes.push(`${operation} ${outcome}`) },
      ...options,
    },
  );
  return { ...client, outcomes, waits };
}

/** The error with which a call fails. */
export const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => Promise.reject(new Error('the call did not fail')),
    (error: unknown) => {
      if (error instanceof StorageError) return error;
      throw error;
    },
  );
