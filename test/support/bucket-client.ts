import type { BucketClient } from '../../src/storage/object-storage.ts';

/** A client of a bucket with these calls. Every other call fails. */
export function bucketClientWith(calls: Partial<BucketClient>): BucketClient {
  const unexpected = (operation: string) => async () => {
    throw new Error(`the test expects no call of ${operation}`);
  };
  return {
    headObject: unexpected('headObject'),
    initiateMultipartUpload: unexpected('initiateMultipartUpload'),
    listParts: unexpected('listParts'),
    completeMultipartUpload: unexpected('completeMultipartUpload'),
    abortMultipartUpload: unexpected('abortMultipartUpload'),
    ...calls,
  };
}
