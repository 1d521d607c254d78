import type { CompleteUploadDependencies, Completion } from '../completion/complete-upload.ts';
import { confirmUpload } from '../completion/confirm-upload.ts';
import type { CallerContext } from '../grant.ts';
import { invalidRequest } from '../request-faults.ts';
import type { GrantedUpload } from '../upload-id.ts';
import { useUpload } from '../use-upload.ts';
import { isKeyOf, type LfsObject } from './lfs-object.ts';

/**
 * Confirms the upload of an object, as `completeUpload` does for its id. Only the caller that the
 * upload was granted to may do so.
 * @throws ServiceError `invalid_request` if the id is that of another object, length or target; and
 *   what `useUpload` throws.
 */
export async function verifyLfsObject(
  dependencies: CompleteUploadDependencies,
  context: CallerContext,
  { id, target, object }: { readonly id: string; readonly target: string; readonly object: LfsObject },
): Promise<Completion> {
  const use = await useUpload(dependencies, context, {
    id,
    isConfirmEnough: false,
    requireFit: (granted) => requireObject(granted, target, object),
  });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage, verdict } = use;
  const { storage } = context;
  const confirmation = await confirmUpload(dependencies, { granted, rule: coverage.rule, storage });
  return { granted, coverage, verdict, ...confirmation };
}

function requireObject(granted: GrantedUpload, target: string, { oid, size }: LfsObject): void {
  const { min, max } = granted.contentLength;
  if (granted.target === target && isKeyOf(granted.key, oid) && min === size && max === size) return;
  throw invalidRequest([
    () => ({
      pointer: '/oid',
      code: 'conflict',
      detail: 'The upload id is that of another object; send the header of the verify action of this one.',
    }),
  ]);
}
