import type { Clock } from '../../clock.ts';
import { type MismatchCode, type PartRange, ServiceError } from '../../errors.ts';
import type { BucketClient } from '../../storage/object-storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { partsOf } from '../multipart/parts.ts';
import type { GrantedMultipart, GrantedUpload } from '../upload-id.ts';
import { checkObject, type ObjectCheck } from './check-object.ts';
import { partProgress } from './part-progress.ts';
import { partCallsDeadline } from './upload-call.ts';

/** The result of {@link completeParts}. */
export type PartsCompletion =
  | ObjectCheck
  /** Nothing was assembled. */
  | { readonly outcome: 'incomplete'; readonly missing: readonly PartRange[]; readonly partCount: number }
  /** The key has another object, which the upload may not replace. Nothing was assembled. */
  | { readonly outcome: 'exists' };

export type CompletePartsInput = {
  readonly client: Pick<BucketClient, 'listParts' | 'completeMultipartUpload' | 'headObject'>;
  readonly granted: GrantedUpload & { readonly multipart: GrantedMultipart };
  /** The headers of the call that completes the upload. */
  readonly headers: Readonly<Record<string, string>>;
  readonly crc64: string | undefined;
  readonly clock: Clock;
  /** The calls end by then, also the one that checks the object. */
  readonly deadline?: Date | undefined;
  /** Milliseconds that the caller needs after these calls. Without a deadline, they end earlier. */
  readonly reservedMs: number;
};

/** Differences that only the object of another upload has. */
const OF_ANOTHER_UPLOAD: ReadonlySet<MismatchCode> = new Set(['other_upload', 'object_type_not_allowed']);

/** How often the parts are listed, if others replace the ones that were listed. */
const MAX_LISTS = 3;

/**
 * Assembles the object of a multipart upload if the storage has every part of the grant with its
 * exact length, and compares the object with the grant. The list of parts that it sends has
 * exactly the parts of the grant, so the object cannot have more bytes.
 *
 * It may be called again at any time, also while another call is in progress: an upload that is
 * over, or whose completion failed, is settled by what the bucket has under the key. Takes at most
 * 66 s, so that a request takes at most 72 s.
 * @throws StorageError if the storage could not list the parts, or its failure to complete the
 *   upload could not be settled; ServiceError `unavailable` if parts are replaced all the time; or
 *   whatever the source of the credentials rejects with.
 */
export async function completeParts(input: CompletePartsInput): Promise<PartsCompletion> {
  const { client, granted, headers, crc64, clock, reservedMs } = input;
  const upload = { key: granted.key, uploadId: granted.multipart.uploadId };
  const plan = partsOf(granted.contentLength.min, granted.multipart.partSize);
  const deadline = input.deadline ?? partCallsDeadline(clock, reservedMs);
  for (let lists = 0; lists < MAX_LISTS; lists += 1) {
    const listed = await client.listParts(upload, deadline);
    if (!listed) return checkObject(client, granted, crc64, input.deadline);
    const { done, missing } = partProgress(plan, listed);
    if (missing.length > 0) return { outcome: 'incomplete', missing, partCount: plan.partCount };
    let result: CompleteResult;
    try {
      result = await client.completeMultipartUpload(upload, done, headers, deadline);
    } catch (error) {
      return settleFailure(input, error);
    }
    if (result === 'parts_changed') continue;
    const check = await checkObject(client, granted, crc64, input.deadline);
    if (result !== 'object_exists' || isOwnObject(check)) return check;
    // Otherwise the other object has been deleted in the meantime.
    if (check.outcome !== 'absent') return { outcome: 'exists' };
  }
  throw changedTooOften();
}

type CompleteResult = Awaited<ReturnType<BucketClient['completeMultipartUpload']>>;

/**
 * The storage may have completed the upload although the call failed, for example if only its
 * response was lost. Then the bucket has the object.
 * @throws the failure, if the bucket does not have it.
 */
async function settleFailure(
  { client, granted, crc64, deadline }: CompletePartsInput,
  failure: unknown,
): Promise<ObjectCheck> {
  if (!(failure instanceof StorageError)) throw failure;
  let check: ObjectCheck;
  try {
    check = await checkObject(client, granted, crc64, deadline);
  } catch (error) {
    throw error instanceof StorageError ? failure : error;
  }
  if (!isOwnObject(check)) throw failure;
  return check;
}

/** Whether the object is the one of this upload, even if it differs from the grant. */
function isOwnObject(check: ObjectCheck): boolean {
  return (
    check.outcome === 'stored' ||
    (check.outcome === 'mismatch' && !check.differences.some(({ code }) => OF_ANOTHER_UPLOAD.has(code)))
  );
}

function changedTooOften(): ServiceError {
  return new ServiceError(
    'unavailable',
    'The parts of the upload, or the object under its key, are being replaced; complete the upload again later.',
    { headers: { 'Retry-After': '1' } },
  );
}
