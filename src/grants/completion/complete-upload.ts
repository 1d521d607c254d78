import type { CallerContext } from '../grant.ts';
import type { UseUploadDependencies } from '../use-upload.ts';
import { checkUpload, type UploadCheck } from './check-upload.ts';
import { signReceipt } from './receipt.ts';
import type { CompleteRequest } from './request.ts';
import { type CompletedUpload, describeCompleted } from './response.ts';

export type CompleteUploadDependencies = UseUploadDependencies & {
  /** The issuer of receipts. */
  readonly publicUrl: string;
};

/** The check of an upload; with the response that has the receipt, if the object is stored. */
export type Completion =
  | Exclude<UploadCheck, { readonly outcome: 'stored' }>
  | (Extract<UploadCheck, { readonly outcome: 'stored' }> & { readonly response: CompletedUpload });

/**
 * Checks an upload as {@link checkUpload} does, and signs the receipt if the object is stored as
 * granted.
 * @throws ServiceError as {@link checkUpload} does.
 */
export async function completeUpload(
  dependencies: CompleteUploadDependencies,
  context: CallerContext,
  request: CompleteRequest,
): Promise<Completion> {
  const check = await checkUpload(dependencies, context, request);
  if (check.outcome !== 'stored') return check;
  const { granted, coverage, stored } = check;
  const { serviceKeys, publicUrl, clock } = dependencies;
  // The keys of this moment, because the check may have taken seconds: a receipt of a key that was
  // removed in the meantime would not verify.
  const receipt = await signReceipt(serviceKeys.current().signing, {
    granted,
    rule: coverage.rule,
    stored,
    publicUrl,
    issuedAt: clock(),
  });
  return { ...check, response: describeCompleted(granted, stored, receipt) };
}
