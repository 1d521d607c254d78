import type { Caller } from '../../auth/caller.ts';
import type { Clock } from '../../clock.ts';
import { ServiceError } from '../../errors.ts';
import { type Decision, decideUpload, type Grant } from '../../policy/decide-upload.ts';
import type { Policy } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { uploadHeaders } from '../../storage/oss/object-headers.ts';
import { presignPut } from '../../storage/oss/signing/presign-put.ts';
import {
  type Credentials,
  type CredentialsSource,
  credentialsUnavailable,
  MIN_CREDENTIALS_SECONDS,
} from '../ports/credentials-source.ts';
import type { Limiter, LimitVerdict } from '../ports/limiter.ts';
import { isoSeconds } from './iso-seconds.ts';
import { limitExpiry } from './limit-expiry.ts';
import type { UploadAnswer } from './response.ts';

export type IssueUploadDependencies = {
  readonly credentials: Pick<CredentialsSource, 'get'>;
  readonly limiter: Pick<Limiter, 'consume'>;
  readonly clock: Clock;
  /** Makes the id within a server-made key. */
  readonly newObjectId: () => string;
  /** What signs; replaced to see how long it takes. */
  readonly presign?: typeof presignPut;
  /** Called when the policy allows the upload, before it is counted against limits; throws to reject it. */
  readonly beforeGrant?: () => void;
};

/** Who asks, and the policy that decides on it. */
export type Admission = { readonly caller: Caller; readonly policy: Policy };

export type UploadOutcome =
  | {
      readonly outcome: 'granted';
      readonly rule: string;
      readonly answer: UploadAnswer;
      /** Undefined where the rule has no limits. */
      readonly verdict: LimitVerdict | undefined;
    }
  | { readonly outcome: 'limited'; readonly grant: Grant; readonly verdict: LimitVerdict }
  | ({ readonly outcome: 'denied' } & Omit<Extract<Decision, { allowed: false }>, 'allowed'>);

/**
 * Answers the question of the service: may this caller put this file here? Refusals are values; the only effect that can
 * fail is getting credentials.
 * @throws ServiceError `unavailable` when there are no credentials, or they have less than 30 s left.
 */
export async function issueUpload(
  { credentials, limiter, clock, newObjectId, presign = presignPut, beforeGrant }: IssueUploadDependencies,
  { caller, policy }: Admission,
  request: UploadRequest,
): Promise<UploadOutcome> {
  const decision = decideUpload(policy, caller, request, newObjectId);
  if (!decision.allowed) {
    const { allowed: _, ...denied } = decision;
    return { outcome: 'denied', ...denied };
  }
  beforeGrant?.();
  const { grant } = decision;
  let current: Credentials;
  try {
    current = await credentials.get();
  } catch (error) {
    throw error instanceof ServiceError ? error : credentialsUnavailable(error);
  }
  if (current.expiresAt !== undefined) refuseEndingCredentials(current.expiresAt, clock());
  const verdict = await limiter.consume({
    rule: grant.rule.name,
    issuer: caller.issuer,
    subject: caller.subject,
    bytes: request.contentLength ?? 0,
    limits: grant.rule.limits,
  });
  if (verdict && !verdict.allowed) return { outcome: 'limited', grant, verdict };
  const answer = signGrant(presign, grant, request, current, clock());
  return { outcome: 'granted', rule: grant.rule.name, answer, verdict };
}

function refuseEndingCredentials(expiresAt: Date, now: Date): void {
  const secondsLeft = secondsUntil(expiresAt, now);
  if (secondsLeft < MIN_CREDENTIALS_SECONDS) {
    throw credentialsUnavailable(new Error(`the cloud credentials end in ${secondsLeft} s`));
  }
}

function signGrant(
  presign: typeof presignPut,
  grant: Grant,
  request: UploadRequest,
  credentials: Credentials,
  now: Date,
): UploadAnswer {
  const { target, expiresIn } = grant.rule;
  const expiry = limitExpiry(
    request.expiresIn,
    expiresIn.defaultSeconds,
    credentials.expiresAt && secondsUntil(credentials.expiresAt, now),
  );
  const signed = presign({
    credentials,
    region: target.region,
    bucket: target.bucket,
    endpoint: target.endpoint,
    key: grant.key,
    headers: uploadHeaders(grant.rule, request),
    ...(request.contentLength !== undefined && { contentLength: request.contentLength }),
    signedAt: now,
    expiresInSeconds: expiry.expiresInSeconds,
  });
  return {
    method: signed.method,
    url: signed.url,
    headers: signed.headers,
    key: grant.key,
    bucket: target.bucket,
    region: target.region,
    target: target.name,
    contentLength: request.contentLength ?? null,
    expires: expiry.expiresInSeconds,
    expiresAt: isoSeconds(signed.expiresAt),
    expiresLimitedBy: expiry.limitedBy,
    serverTime: isoSeconds(signed.signedAt),
  };
}

function secondsUntil(end: Date, now: Date): number {
  // Both cut to whole seconds as the signature does, so that the stated expiry never lies after the real one.
  return Math.floor(end.getTime() / 1000) - Math.floor(now.getTime() / 1000);
}
