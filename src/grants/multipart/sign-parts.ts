import { z } from 'zod';
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

export type SignPartsDependencies = UseUploadDependencies & Pick<GrantDependencies, 'credentials'>;

/** The result of {@link signParts}. */
export type SignedPartsOutcome =
  | UnusableUpload
  | (UsedUpload & { readonly outcome: 'granted'; readonly response: SignedParts });

/** The body of the 200 of `POST /v1/uploads/parts`, and the source of its part of the OpenAPI. */
export const signedParts = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          partNumber: z.int().meta({ description: 'The number of the part.' }),
          offset: z.int().meta({ description: 'Where the part begins in the file, in bytes.' }),
          contentLength: z.int().meta({
            description: 'The bytes of the part. The URL accepts exactly this many.',
          }),
          method: z.literal('PUT').meta({ description: 'The method to send the part with.' }),
          url: z.string().meta({ description: 'The presigned URL of the part. Treat it as a secret.' }),
          headers: z.record(z.string(), z.string()).meta({
            description:
              'The headers to send: none, or `Content-MD5`. Send no other header, not even a `Content-Type`.',
          }),
        }),
      )
      .meta({ description: 'The requested parts, in the order of the request.' }),
    expires: z.int().meta({ description: 'Seconds from `serverTime` until the URLs expire.' }),
    expiresAt: z.iso.datetime().meta({ description: 'When the URLs expire. Request new ones then.' }),
    expiresLimitedBy: z.enum(['request', 'rule', 'credentials', 'maximum']).meta({
      description:
        'The cause of the expiry: the rule (its `expiresIn.max`, or the end of the upload id), the cloud credentials, or the maximum of OSS.',
    }),
    serverTime: z.iso
      .datetime()
      .meta({ description: 'When the URLs were signed, by the clock of the service.' }),
  })
  .readonly();

export type SignedParts = z.output<typeof signedParts>;

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
  return { outcome: 'granted', granted, coverage, verdict, response: { parts, ...validity } };
}
