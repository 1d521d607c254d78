import type { CallerContext, GrantDependencies } from '../grant.ts';
import { uploadsOf } from '../prepared-storage.ts';
import { startSigning, usableCredentials } from '../signing.ts';
import {
  requireMultipart,
  type UnusableUpload,
  type UsedUpload,
  type UseUploadDependencies,
  useUpload,
} from '../use-upload.ts';
import { partsOf } from './parts.ts';
import { type PartsRequest, requireParts } from './parts-request.ts';
import type { SignedParts } from './parts-response.ts';

export type SignPartsDependencies = UseUploadDependencies & Pick<GrantDependencies, 'credentials'>;

/** The result of {@link signParts}. */
export type SignedPartsOutcome =
  | UnusableUpload
  | (UsedUpload & { readonly outcome: 'granted'; readonly response: SignedParts });

/**
 * Uses an upload id as {@link useUpload} does, for the caller that it was granted to, and signs
 * parts of its multipart upload without asking the storage. Each URL binds the number and the
 * length of its part. The URLs live as long as the rule allows, but not longer than the upload id
 * or the credentials.
 * @throws ServiceError `invalid_request` for an upload of another transfer, and for parts that the
 *   upload does not have; `unavailable` if there are no credentials; and as {@link useUpload} does.
 */
export async function signParts(
  dependencies: SignPartsDependencies,
  context: CallerContext,
  request: PartsRequest,
): Promise<SignedPartsOutcome> {
  const use = await useUpload(dependencies, context, {
    id: request.id,
    isConfirmEnough: false,
    requireFit(granted) {
      const { partSize } = requireMultipart(granted);
      requireParts(request, partsOf(granted.contentLength.min, partSize).partCount);
    },
  });
  if (use.outcome !== 'usable') return use;
  const { granted, coverage, verdict } = use;
  const { rule } = coverage;
  const credentials = await usableCredentials(dependencies);

  const signedAt = dependencies.clock();
  const secondsLeft = granted.expiresAt - Math.floor(signedAt.getTime() / 1000);
  if (secondsLeft < 1) return { outcome: 'expired', granted, coverage };
  const lifetimeSeconds = Math.min(rule.expiresIn.maxSeconds, secondsLeft);
  const { signing, validity } = startSigning(credentials, signedAt, undefined, lifetimeSeconds);
  const { key } = granted;
  const { uploadId, partSize } = requireMultipart(granted);
  const { offset, partLength } = partsOf(granted.contentLength.min, partSize);
  const uploads = uploadsOf(context.storage, rule);
  const parts = request.partNumbers.map((partNumber) => {
    const contentLength = partLength(partNumber);
    const contentMd5 = request.contentMd5[partNumber];
    const part = { key, uploadId, partNumber, contentLength, contentMd5 };
    const { method, url, headers } = uploads.presignPart(part, signing);
    return { partNumber, offset: offset(partNumber), contentLength, method, url, headers };
  });
  // The requests name no expiry, and a rule cannot exceed the maximum of OSS.
  const expiresLimitedBy = validity.expiresLimitedBy === 'credentials' ? 'credentials' : 'rule';
  const response = { parts, ...validity, expiresLimitedBy } as const;
  return { outcome: 'granted', granted, coverage, verdict, response };
}
