import type { Clock } from '../../clock.ts';
import { callHttp, type HttpResponse, hostOf, LongHeadersError, ResponseError } from '../../net/http-call.ts';
import type { CallLimit } from '../call-limit.ts';
import type { SigningCredentials } from '../object-storage.ts';
import { StorageError } from '../storage-error.ts';
import type { StorageObserver, StorageOperation, StorageOutcome } from '../storage-observer.ts';
import { bucketAddress, type Endpoint } from './endpoint.ts';
import { type AuthorizeInput, authorize } from './signing/authorize.ts';
import { createSigners, isSameCredentials } from './signing/signers.ts';

/** Of one call: both tries and the pause between them. */
const CALL_TIMEOUT_MS = 5_000;
const RETRY_PAUSE_MS = 200;

/** Codes of credentials that were valid when they were read: they expired or were replaced. */
const REPLACED_CREDENTIALS: ReadonlySet<string | undefined> = new Set([
  'SecurityTokenExpired',
  'InvalidAccessKeyId',
  'InvalidSecurityToken',
]);

export type ServiceBucket = {
  readonly bucket: string;
  /** The region id of the bucket, without `oss-`. */
  readonly region: string;
  /** How the service itself reaches the bucket. */
  readonly serviceEndpoint: Endpoint;
};

export type SignedCallsOptions = {
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

/** A request to a bucket, which is signed when it is sent. */
export type BucketRequest = Pick<AuthorizeInput, 'key' | 'query' | 'headers'> & {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Of the body of the response. */
  readonly maxBytes: number;
};

/** Sends a request once. @throws StorageError if there is no response, or none of HTTP. */
export type Send = (request: BucketRequest) => Promise<HttpResponse>;

/** The bounds of one call. */
export type CallBounds = {
  /**
   * Of both tries and the pause between them: 5 s by default. A call that may take longer counts as
   * a long one.
   */
  readonly timeoutMs?: number;
  /** The call ends by then, even if that is earlier. */
  readonly deadline?: Date | undefined;
  /**
   * Whether the storage may do the same twice: true by default. Otherwise the second try is made
   * only if the storage has rejected the first one because of its credentials.
   */
  readonly isRepeatable?: boolean;
};

export type SignedCalls = {
  /** The host that is called, for messages. */
  readonly host: string;
  /**
   * Makes one call: at most two tries of `attempt`, within its bounds.
   * @param attempt sends one request, and reads its response. Undefined is observed as `absent`.
   * @throws StorageError, also if too many calls are in progress, or if the deadline has passed.
   */
  call<Result>(
    operation: StorageOperation,
    attempt: (send: Send) => Promise<Result>,
    bounds?: CallBounds,
  ): Promise<Result>;
};

/**
 * Prepares the calls to a bucket of OSS. Each is signed in its header.
 * @throws TypeError as `bucketAddress` does.
 */
export function createSignedCalls(
  { bucket, region, serviceEndpoint }: ServiceBucket,
  { credentials, fetch, clock, timers, callLimit, observer }: SignedCallsOptions,
): SignedCalls {
  const { origin, pathPrefix } = bucketAddress(serviceEndpoint, bucket, region);
  const host = hostOf(origin);
  const signerAt = createSigners(region);

  return { host, call };

  async function call<Result>(
    operation: StorageOperation,
    attempt: (send: Send) => Promise<Result>,
    bounds: CallBounds = {},
  ): Promise<Result> {
    const first = await credentials();
    const ended = observer.callStarted(operation);
    let outcome: StorageOutcome = 'busy';
    const isLong = (bounds.timeoutMs ?? CALL_TIMEOUT_MS) > CALL_TIMEOUT_MS;
    const leave = callLimit.enter(isLong ? 'long' : 'short');
    if (!leave) {
      ended(outcome);
      const { max, maxLong } = callLimit;
      const limit = isLong
        ? `${max} calls to the storage, or ${maxLong} long ones,`
        : `${max} calls to the storage`;
      throw new StorageError('busy', `${limit} are in progress`);
    }
    try {
      const result = await twice(attempt, first, bounds);
      outcome = result === undefined ? 'absent' : 'ok';
      return result;
    } catch (error) {
      outcome = error instanceof StorageError ? error.kind : 'unreachable';
      throw error;
    } finally {
      leave();
      ended(outcome);
    }
  }

  async function twice<Result>(
    attempt: (send: Send) => Promise<Result>,
    first: SigningCredentials,
    { timeoutMs = CALL_TIMEOUT_MS, deadline, isRepeatable = true }: CallBounds,
  ): Promise<Result> {
    const leftMs = deadline === undefined ? timeoutMs : deadline.getTime() - clock().getTime();
    if (leftMs <= 0) throw new StorageError('unreachable', `no time was left for a call to ${host}`);
    const signal = timers.timeout(Math.min(timeoutMs, leftMs));
    try {
      return await attempt((request) => send(request, signal, first));
    } catch (error) {
      if (!(error instanceof StorageError) || signal.aborted) throw error;
      const second = await retryWith(error, first, isRepeatable);
      if (!second || signal.aborted) throw error;
      return attempt((request) => send(request, signal, second));
    }
  }

  /** The credentials for a second try; undefined if it would not help. */
  async function retryWith(
    { kind, details: { status = 0, code } }: StorageError,
    first: SigningCredentials,
    isRepeatable: boolean,
  ): Promise<SigningCredentials | undefined> {
    const isReplaced = REPLACED_CREDENTIALS.has(code);
    const isTransient = isRepeatable && (kind === 'unreachable' || (kind === 'busy' && status >= 500));
    if (!isReplaced && !isTransient) return undefined;
    if (isTransient) await timers.wait(RETRY_PAUSE_MS);
    // If there are none any more, the failure of the first try is reported.
    const second = await credentials().catch(() => undefined);
    return isReplaced && second && isSameCredentials(first, second) ? undefined : second;
  }

  async function send(
    { maxBytes, headers, body, ...request }: BucketRequest,
    signal: AbortSignal,
    current: SigningCredentials,
  ): Promise<HttpResponse> {
    const authorized = authorize(
      { ...request, bucket, headers: { ...headers, 'Accept-Encoding': 'identity' } },
      signerAt(clock(), current),
    );
    try {
      return await callHttp(`${origin}${pathPrefix}/${authorized.pathAndQuery}`, {
        fetch,
        signal,
        method: request.method,
        headers: authorized.headers,
        body,
        statuses: 'any',
        maxBytes,
      });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new StorageError(error instanceof ResponseError ? 'invalid_response' : 'unreachable', message, {
        cause: error instanceof LongHeadersError ? error : cause,
      });
    }
  }
}
