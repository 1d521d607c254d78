import type { CallerContext } from '../grant.ts';
import { clientOf, uploadsOf } from '../prepared-storage.ts';
import { type UseUploadDependencies, useUpload } from '../use-upload.ts';
import { checkObject } from './check-object.ts';
import { completeParts, type PartsCompletion } from './complete-parts.ts';
import { signReceipt } from './receipt.ts';
import type { CompleteRequest } from './request.ts';
import { type CompletedUpload, describeCompleted } from './response.ts';
import { type UploadCall, withStorageFailure } from './upload-call.ts';

export type CompleteUploadDependencies = UseUploadDependencies & {
  /** The issuer of receipts. */
  readonly publicUrl: string;
};

/** The result of {@link completeUpload}; with the response that has the receipt, if stored. */
export type Completion = UploadCall<
  | Exclude<PartsCompletion, { readonly outcome: 'stored' }>
  | (Extract<PartsCompletion, { readonly outcome: 'stored' }> & { readonly response: CompletedUpload })
>;

/**
 * Uses an upload id as {@link useUpload} does, assembles the parts of a multipart upload, compares
 * the object in the bucket with the grant, and signs the receipt if it is stored as granted. Only
 * an id that can be used leads to a call to the storage. A failure of the storage is a value too,
 * so that it has an audit line.
 * @throws ServiceError as {@link useUpload} does.
 */
export async function completeUpload(
  dependencies: CompleteUploadDependencies,
  context: CallerContext,
  { id, crc64 }: CompleteRequest,
): Promise<Completion> {
  const use = await useUpload(dependencies, context, { id, isConfirmEnough: true });
  if (use.outcome !== 'usable') return use;
  const { serviceKeys, publicUrl, clock } = dependencies;
  const { granted, coverage } = use;
  const { rule } = coverage;
  const { multipart } = granted;
  const client = clientOf(context.storage, rule.target);
  const completion = await withStorageFailure(use, async (): Promise<PartsCompletion> => {
    if (!multipart) return checkObject(client, granted, crc64);
    // A rule can stop to allow that objects are replaced after the upload was granted.
    const headers = uploadsOf(context.storage, rule).completeHeaders(multipart.overwrite && rule.overwrite);
    return completeParts({ client, granted: { ...granted, multipart }, headers, crc64, clock });
  });
  if (completion.outcome !== 'stored') return completion;
  const { stored } = completion;
  // The keys of this moment, because the calls may have taken a minute: a receipt of a key that was
  // removed in the meantime would not verify.
  const receipt = await signReceipt(serviceKeys.current().signing, {
    granted,
    rule,
    stored,
    publicUrl,
    issuedAt: clock(),
  });
  return { ...completion, response: describeCompleted(granted, stored, receipt) };
}
