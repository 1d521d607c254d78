import type { Clock } from '../../clock.ts';
import { callHttp, type HttpResponse, hostOf, LongHeadersError, ResponseError } from '../../net/http-call.ts';
import type { CallLimit } from '../call-limit.ts';
import type { BucketClient, SigningCredentials, StoredObject } from '../object-storage.ts';
import { StorageError, type StorageFailure, type StorageFailureDetails } from '../storage-error.ts';
import type { StorageObserver, StorageOperation, StorageOutcome } from '../storage-observer.ts';
import { bucketAddress, type Endpoint } from './endpoint.ts';
import { readErrorHeaders, requestIdOf } from './error-response.ts';
import { authorize } from './signing/authorize.ts';
import { checkKey } from './signing/percent-encode.ts';
import { createSigners, isSameCredentials } from './signing/signers.ts';
import { readStoredObject, unreadableObject } from './stored-object.ts';

/** Of one call: both tries and the pause between them. */
const CALL_TIMEOUT_MS = 5_000;
const RETRY_PAUSE_MS = 200;

/** Codes of credentials that were valid when they were read: they expired or were replaced. */
const REPLACED_CREDENTIALS: ReadonlySet<string | undefined> = new Set([
  'SecurityTokenExpired',
  'InvalidAccessKeyId',
  'InvalidSecurityToken',
]);

/** The EC of NoSuchKey. It counts only where a response of OSS has no `x-oss-err`. */
const NO_SUCH_KEY_EC = '0026-00000001';

export type ServiceBucket = {
  readonly bucket: string;
  /** The region id of the bucket, without `oss-`. */
  readonly region: string;
  /** How the service itself reaches the bucket. */
  readonly serviceEndpoint: Endpoint;
};

export type BucketClientOptions = {
  /** Called for each try, so that the client follows their rotation. */
  readonly credentials: () => Promise<SigningCredentials>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly timers: {
    /** Returns a signal that is aborted after this time. */
    timeout(ms: number): AbortSignal;
    /** Resolves after this time. */
    wait(ms: number): Promise<unknown>;
  };
  /** Shared by all buckets of the process. */
  readonly callLimit: CallLimit;
  readonly observer: StorageObserver;
};

/**
 * Creates the client of a bucket of OSS. It signs each call in its header.
 *
 * A call ends after 5 s at the latest, and follows no redirect. It is tried twice if the network
 * fails, if OSS responds with 5xx, or if OSS rejects credentials that have been replaced since.
 * @throws TypeError as `bucketAddress` does.
 */
export function createBucketClient(
  { bucket, region, serviceEndpoint }: ServiceBucket,
  { credentials, fetch, clock, timers, callLimit, observer }: BucketClientOptions,
): BucketClient {
  const { origin, pathPrefix } = bucketAddress(serviceEndpoint, bucket, region);
  const host = hostOf(origin);
  const signerAt = createSigners(region);

  return {
    async headObject(key) {
      checkKey(key);
      return limited('HeadObject', async (signal, current) => {
        try {
          return readHead(await send({ method: 'HEAD', key }, signal, current), host);
        } catch (error) {
          // No grant has headers of this length, but a client can add fields to a form. It must not
          // make the storage look broken.
          if (error instanceof StorageError && error.cause instanceof LongHeadersError)
            return unreadableObject();
          throw error;
        }
      });
    },
  };

  /** Makes one call within the limits: at most two tries, in at most {@link CALL_TIMEOUT_MS}. */
  async function limited<Result>(
    operation: StorageOperation,
    attempt: (signal: AbortSignal, current: SigningCredentials) => Promise<Result>,
  ): Promise<Result> {
    const first = await credentials();
    const ended = observer.callStarted(operation);
    let outcome: StorageOutcome = 'busy';
    if (!callLimit.enter()) {
      ended(outcome);
      throw new StorageError('busy', `${callLimit.max} calls to the storage are in progress`);
    }
    try {
      const result = await twice(attempt, first);
      outcome = result === undefined ? 'absent' : 'ok';
      return result;
    } catch (error) {
      outcome = error instanceof StorageError ? error.kind : 'unreachable';
      throw error;
    } finally {
      callLimit.leave();
      ended(outcome);
    }
  }

  async function twice<Result>(
    attempt: (signal: AbortSignal, current: SigningCredentials) => Promise<Result>,
    first: SigningCredentials,
  ): Promise<Result> {
    const signal = timers.timeout(CALL_TIMEOUT_MS);
    try {
      return await attempt(signal, first);
    } catch (error) {
      if (!(error instanceof StorageError) || signal.aborted) throw error;
      const second = await retryWith(error, first);
      if (!second || signal.aborted) throw error;
      return attempt(signal, second);
    }
  }

  /** The credentials for a second try; undefined if it would not help. */
  async function retryWith(
    { kind, details: { status = 0, code } }: StorageError,
    first: SigningCredentials,
  ): Promise<SigningCredentials | undefined> {
    const isReplaced = REPLACED_CREDENTIALS.has(code);
    const isTransient = kind === 'unreachable' || (kind === 'busy' && status >= 500);
    if (!isReplaced && !isTransient) return undefined;
    if (isTransient) await timers.wait(RETRY_PAUSE_MS);
    // If there are none any more, the failure of the first try is reported.
    const second = await credentials().catch(() => undefined);
    return isReplaced && second && isSameCredentials(first, second) ? undefined : second;
  }

  async function send(
    call: { readonly method: 'HEAD'; readonly key: string },
    signal: AbortSignal,
    current: SigningCredentials,
  ): Promise<HttpResponse> {
    const { pathAndQuery, headers } = authorize(
      { ...call, bucket, headers: { 'Accept-Encoding': 'identity' } },
      signerAt(clock(), current),
    );
    try {
      return await callHttp(`${origin}${pathPrefix}/${pathAndQuery}`, {
        fetch,
        signal,
        method: call.method,
        headers,
        statuses: 'any',
        maxBytes: 0,
      });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new StorageError(error instanceof ResponseError ? 'invalid_response' : 'unreachable', message, {
        cause: error instanceof LongHeadersError ? error : cause,
      });
    }
  }
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

function failure(
  operation: StorageOperation,
  details: StorageFailureDetails & { readonly status: number },
  host: string,
): StorageError {
  const { status, code, ec } = details;
  const reason = [status, code, ec].filter((part) => part !== undefined).join(' ');
  return new StorageError(kindOf(details), `${host} responded to ${operation} with ${reason}`, details);
}

function kindOf({
  status,
  code,
}: {
  readonly status: number;
  readonly code?: string | undefined;
}): StorageFailure {
  if (status >= 500 || status === 429 || status === 408) return 'busy';
  if (status < 400) return 'invalid_response';
  // Without a code of OSS, a server in front of it may not know the address.
  return status === 404 && code === undefined ? 'invalid_response' : 'denied';
}
