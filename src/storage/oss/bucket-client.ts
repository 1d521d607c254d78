import { type HttpResponse, LongHeadersError } from '../../net/http-call.ts';
import type { BucketClient, StoredObject } from '../object-storage.ts';
import { StorageError, type StorageFailureDetails } from '../storage-error.ts';
import { readErrorHeaders, requestIdOf } from './error-response.ts';
import { failure } from './failure.ts';
import { createMultipartCalls } from './multipart-calls.ts';
import { createSignedCalls, type ServiceBucket, type SignedCallsOptions } from './signed-calls.ts';
import { checkKey } from './signing/percent-encode.ts';
import { readStoredObject, unreadableObject } from './stored-object.ts';

/** The EC of NoSuchKey. It counts only where a response of OSS has no `x-oss-err`. */
const NO_SUCH_KEY_EC = '0026-00000001';

/**
 * Creates the client of a bucket of OSS. It signs each call in its header.
 *
 * A call ends after 5 s at the latest, and follows no redirect. It is tried twice if the network
 * fails, if OSS responds with 5xx, or if OSS rejects credentials that have been replaced since. A
 * call that completes a multipart upload ends after 60 s, and is tried twice only in the last case.
 * @throws TypeError as `bucketAddress` does.
 */
export function createBucketClient(bucket: ServiceBucket, options: SignedCallsOptions): BucketClient {
  const calls = createSignedCalls(bucket, options);
  const { host, call } = calls;

  return {
    ...createMultipartCalls(calls),
    async headObject(key, deadline) {
      checkKey(key);
      return call(
        'HeadObject',
        async (send) => {
          try {
            return readHead(await send({ method: 'HEAD', key, maxBytes: 0 }), host);
          } catch (error) {
            // No grant has headers of this length, but a client can add fields to a form. It must
            // not make the storage look broken.
            if (error instanceof StorageError && error.cause instanceof LongHeadersError)
              return unreadableObject();
            throw error;
          }
        },
        { deadline },
      );
    },
  };
}

function readHead({ status, headers }: HttpResponse, host: string): StoredObject | undefined {
  const requestId = requestIdOf(headers);
  if (status === 200) {
    const object = readStoredObject(headers);
    if (requestId === undefined)
      throw new StorageError('invalid_response', `${host} does not respond as OSS does`, { status });
    if ('fault' in object)
      throw new StorageError('invalid_response', `${host} sent no valid ${object.fault}`, {
        status,
        requestId,
      });
    return object;
  }
  const details = { ...readErrorHeaders(headers), status };
  if (status === 404 && isNoSuchKey(details, headers)) return undefined;
  throw failure('HeadObject', details, host);
}

function isNoSuchKey({ code, ec, requestId }: StorageFailureDetails, headers: Headers): boolean {
  if (code !== undefined || headers.has('x-oss-err')) return code === 'NoSuchKey';
  return requestId !== undefined && ec === NO_SUCH_KEY_EC;
}
