import type { CallerContext } from '../grant.ts';
import {
  type UnusableUpload,
  type UsedUpload,
  type UseUploadDependencies,
  useUpload,
} from '../use-upload.ts';
import { type Confirmation, type ConfirmUploadDependencies, confirmUpload } from './confirm-upload.ts';
import type { CompleteRequest } from './request.ts';

export type CompleteUploadDependencies = UseUploadDependencies & ConfirmUploadDependencies;

/** The result of {@link completeUpload}. */
export type Completion = UnusableUpload | (UsedUpload & Confirmation);

/**
 * Uses an upload id as {@link useUpload} does, then confirms the upload as {@link confirmUpload}
 * does. Only an id that can be used leads to a call to the storage.
 * @throws ServiceError as {@link useUpload} does.
 */
export async function completeUpload(
  dependencies: CompleteUploadDependencies,
  context: CallerContext,
  { id, crc64 }: CompleteRequest,
): Promise<Completion> {
  const use = await useUpload(dependencies, context, { id, isConfirmEnough: true });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage, verdict } = use;
  const { storage } = context;
  const confirmation = await confirmUpload(dependencies, { granted, rule: coverage.rule, storage, crc64 });
  return { granted, coverage, verdict, ...confirmation };
}
