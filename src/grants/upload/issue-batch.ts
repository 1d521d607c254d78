import type { ServiceError } from '../../errors.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { CallerContext } from '../grant.ts';
import type { CredentialsSource } from '../ports/credentials-source.ts';
import type { LimitedUpload, Limiter, LimitVerdict } from '../ports/limiter.ts';
import { isInvalidRequest } from '../request-faults.ts';
import { type IssueUploadDependencies, issueUpload, type UploadOutcome } from './issue-upload.ts';

export type IssueBatchDependencies = IssueUploadDependencies & {
  /** Resolves in a later turn of the event loop, so that other requests get their turn. */
  readonly yieldToEventLoop: () => Promise<void>;
};

/** The outcome of one item of a batch. */
export type BatchItem =
  | { readonly request: UploadRequest; readonly result: UploadOutcome }
  /** The item is not valid. The pointers of the error begin at the item. */
  | { readonly invalid: ServiceError };

export type BatchRequest = {
  readonly items: readonly unknown[];
  /** Checks an item. Throws a ServiceError `invalid_request` for one that is not valid. */
  readonly parse: (item: unknown) => UploadRequest;
  /** 1 or more visible ASCII characters. */
  readonly idempotencyKey: string | undefined;
};

/**
 * Other requests get their turn after this many items. With the slowest items, thousands of rules
 * and the largest tokens, one item takes up to 11 ms to decide.
 */
export const ITEMS_PER_TURN = 2;

/** Signing does not depend on the number of rules: the longest item takes less than 1 ms. */
const SIGNED_PER_TURN = 20;

/**
 * Decides on each item of a batch as {@link issueUpload} does. All items that the policy allows are
 * counted together, in their order: limits allow the first items that fit, and a shared store is
 * asked once.
 *
 * With an idempotency key, an item at the same place of the same request gets the same object key.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export async function issueBatch(
  dependencies: IssueBatchDependencies,
  context: CallerContext,
  { items, parse, idempotencyKey }: BatchRequest,
): Promise<readonly BatchItem[]> {
  const { limiter, yieldToEventLoop } = dependencies;
  const credentials = askedOnce(dependencies.credentials);

  async function issueItem(item: unknown, index: number, ofItem: Limiter): Promise<BatchItem> {
    let request: UploadRequest;
    try {
      request = parse(item);
    } catch (error) {
      if (isInvalidRequest(error)) return { invalid: error };
      throw error;
    }
    // A key of a request has no blank, so no other request derives the same id.
    const keyOfItem = idempotencyKey === undefined ? undefined : `${idempotencyKey} ${index}`;
    const sharing = { ...dependencies, credentials, limiter: ofItem };
    return { request, result: await issueUpload(sharing, context, request, keyOfItem) };
  }

  /** Resolves when the item is done, or waits to be counted. */
  function decideItem(item: unknown, index: number): Promise<DecidedItem> {
    const { promise, resolve, reject } = Promise.withResolvers<DecidedItem>();
    const issued = issueItem(item, index, {
      consume: (upload) => new Promise((settle) => resolve({ issued, waiting: { upload, settle } })),
    });
    issued.then(() => resolve({ issued, waiting: undefined }), reject);
    return promise;
  }

  const decided: DecidedItem[] = [];
  for (let start = 0; start < items.length; start += ITEMS_PER_TURN) {
    if (start > 0) await yieldToEventLoop();
    const chunk = items.slice(start, start + ITEMS_PER_TURN);
    decided.push(...(await Promise.all(chunk.map((item, index) => decideItem(item, start + index)))));
  }
  const verdicts = await Promise.all(
    decided.map(({ waiting }) => waiting && limiter.consume(waiting.upload)),
  );
  for (const [index, { waiting }] of decided.entries()) {
    if (index % SIGNED_PER_TURN === 0) await yieldToEventLoop();
    waiting?.settle(verdicts[index]);
  }
  return Promise.all(decided.map(({ issued }) => issued));
}

type DecidedItem = {
  readonly issued: Promise<BatchItem>;
  /** Undefined if the item is done: it is denied or not valid. */
  readonly waiting: WaitingItem | undefined;
};

/** An item that the policy allows. It is signed when it has its verdict. */
type WaitingItem = {
  readonly upload: LimitedUpload;
  readonly settle: (verdict: LimitVerdict | undefined) => void;
};

/** All items are signed with the same credentials. */
function askedOnce(credentials: Pick<CredentialsSource, 'get'>): Pick<CredentialsSource, 'get'> {
  let current: ReturnType<CredentialsSource['get']> | undefined;
  return { get: () => (current ??= credentials.get()) };
}
