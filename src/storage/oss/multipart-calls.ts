import type { HttpResponse } from '../../net/http-call.ts';
import type { BucketClient, MultipartUpload, StoredPart } from '../object-storage.ts';
import { StorageError, type StorageFailureDetails } from '../storage-error.ts';
import type { StorageOperation } from '../storage-observer.ts';
import { readErrorResponse, requestIdOf } from './error-response.ts';
import { failure } from './failure.ts';
import {
  isCompleteResult,
  MAX_RESPONSE_BYTES,
  readInitiateResult,
  readPartsPage,
  writePartList,
} from './multipart-xml.ts';
import type { SignedCalls } from './signed-calls.ts';
import { contentMd5Of } from './signing/content-md5.ts';
import { checkKey } from './signing/percent-encode.ts';

/** OSS assembles up to 10,000 parts within the call. */
const COMPLETE_TIMEOUT_MS = 60_000;

/** The largest page that OSS sends. */
const PARTS_PER_PAGE = 1000;

/** 10,000 parts need ten. At 5 s each, a list ends in 60 s even without a deadline. */
const MAX_PAGES = 12;

/** OSS can miss a part that is being uploaded, so an abort is repeated until the upload is gone. */
const MAX_ABORTS = 3;

/** XML cannot hold every key, so OSS is asked to encode it. */
const ENCODED = { 'encoding-type': 'url' };

/** They count only where a response of OSS has no code. */
const NO_SUCH_UPLOAD_ECS: ReadonlySet<string | undefined> = new Set([
  ...['0042-00000002', '0042-00000104', '0042-00000311', '0017-00000244'],
]);

/** Codes of a list that names a part which is missing, or which has been replaced since. */
const PARTS_CHANGED: ReadonlySet<string | undefined> = new Set([
  ...['InvalidPart', 'FilePartNotExist', 'FilePartStale', 'FilePartInterity'],
]);

type MultipartCalls = Omit<BucketClient, 'headObject'>;
type Completed = Awaited<ReturnType<MultipartCalls['completeMultipartUpload']>>;

/**
 * The calls about multipart uploads. Source: OSS InitiateMultipartUpload, ListParts,
 * CompleteMultipartUpload and AbortMultipartUpload.
 */
export function createMultipartCalls({ host, call }: SignedCalls): MultipartCalls {
  return { initiateMultipartUpload, listParts, completeMultipartUpload, abortMultipartUpload };

  async function initiateMultipartUpload(
    key: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<MultipartUpload | 'object_exists'> {
    checkKey(key);
    const operation = 'InitiateMultipartUpload';
    const query = { ...ENCODED, uploads: '' };
    return call(operation, async (send) => {
      const response = await send({ method: 'POST', key, query, headers, maxBytes: MAX_RESPONSE_BYTES });
      const uploadId = isSuccess(response, 200) ? readInitiateResult(response.body, key) : undefined;
      if (uploadId !== undefined) return { key, uploadId };
      const details = detailsOf(response);
      if (details.code === 'FileAlreadyExists') return 'object_exists';
      throw failureOf(operation, details);
    });
  }

  async function listParts(
    upload: MultipartUpload,
    deadline?: Date,
  ): Promise<readonly StoredPart[] | undefined> {
    const { key, uploadId } = upload;
    checkKey(key);
    const operation = 'ListParts';
    const all: StoredPart[] = [];
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      // The number of the last part is the marker of the next page, whatever marker the page has.
      const after = all.at(-1)?.partNumber ?? 0;
      const query = {
        ...ENCODED,
        uploadId,
        'max-parts': String(PARTS_PER_PAGE),
        ...(after > 0 && { 'part-number-marker': String(after) }),
      };
      const page = await call(
        operation,
        async (send) => {
          const response = await send({ method: 'GET', key, query, maxBytes: MAX_RESPONSE_BYTES });
          const read = isSuccess(response, 200) ? readPartsPage(response.body, upload, after) : undefined;
          if (read) return read;
          const details = detailsOf(response);
          if (isNoSuchUpload(details)) return undefined;
          throw failureOf(operation, details);
        },
        { deadline },
      );
      if (!page) return undefined;
      for (const part of page.parts) all.push(part);
      if (!page.isTruncated) return all;
    }
    throw new StorageError('invalid_response', `${host} sent more than ${MAX_PAGES} pages to ${operation}`);
  }

  async function completeMultipartUpload(
    { key, uploadId }: MultipartUpload,
    parts: readonly Pick<StoredPart, 'partNumber' | 'etag'>[],
    headers: Readonly<Record<string, string>>,
    deadline?: Date,
  ): Promise<Completed> {
    checkKey(key);
    const operation = 'CompleteMultipartUpload';
    const body = writePartList(parts);
    const contentMd5 = contentMd5Of(body);
    const hasCallback = Object.keys(headers).some((name) => name.toLowerCase() === 'x-oss-callback');
    const completed = await call(
      operation,
      async (send) => {
        const response = await send({
          method: 'POST',
          key,
          query: { ...ENCODED, uploadId },
          headers: { ...headers, 'Content-MD5': contentMd5 },
          body,
          maxBytes: MAX_RESPONSE_BYTES,
        });
        if (isSuccess(response, 200) && isCompleteResult(response.body, key)) return 'completed';
        const details = detailsOf(response);
        if (isNoSuchUpload(details)) return undefined;
        if (details.code === 'FileAlreadyExists') return 'object_exists';
        if (PARTS_CHANGED.has(details.code)) return 'parts_changed';
        // With a callback, the body is that of the callback's server, and 203 means that it failed:
        // OSS stores the object in any case.
        if (hasCallback && isSuccess(response, 203)) return 'completed';
        if (hasCallback && isSuccess(response, 200) && details.code === undefined) return 'completed';
        throw failureOf(operation, details);
      },
      { timeoutMs: COMPLETE_TIMEOUT_MS, deadline, isRepeatable: false },
    );
    return completed ?? 'no_such_upload';
  }

  async function abortMultipartUpload({ key, uploadId }: MultipartUpload): Promise<void> {
    checkKey(key);
    const operation = 'AbortMultipartUpload';
    for (let aborts = 0; aborts < MAX_ABORTS; aborts += 1) {
      const aborted = await call(operation, async (send) => {
        const query = { uploadId };
        const response = await send({ method: 'DELETE', key, query, maxBytes: MAX_RESPONSE_BYTES });
        if (isSuccess(response, 204)) return 'aborted';
        const details = detailsOf(response);
        if (isNoSuchUpload(details)) return undefined;
        throw failureOf(operation, details);
      });
      if (aborted === undefined) return;
    }
  }

  function failureOf(operation: StorageOperation, details: Details): StorageError {
    const { status, code } = details;
    if (status >= 300 || code !== undefined) return failure(operation, details, host);
    return new StorageError(
      'invalid_response',
      `${host} sent no valid response to ${operation}, but ${status}`,
      details,
    );
  }
}

type Details = StorageFailureDetails & { readonly status: number };

/** Whether OSS responded with this status. Only OSS sends an id of the request. */
function isSuccess({ status, headers }: HttpResponse, expected: number): boolean {
  return status === expected && requestIdOf(headers) !== undefined;
}

function detailsOf(response: HttpResponse): Details {
  return { ...readErrorResponse(response), status: response.status };
}

function isNoSuchUpload({ status, code, ec, requestId }: Details): boolean {
  if (code !== undefined) return code === 'NoSuchUpload';
  return status === 404 && requestId !== undefined && NO_SUCH_UPLOAD_ECS.has(ec);
}
