import type { ServiceError } from '../../errors.ts';
import { decideUpload, type GrantedObject } from '../../policy/decide-upload.ts';
import type { Decision } from '../../policy/decision.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { CallerContext } from '../grant.ts';
import { objectExists } from '../object-exists.ts';
import type { LimitVerdict } from '../ports/limiter.ts';
import { clientOf } from '../prepared-storage.ts';
import { rejectionByStorage } from '../storage-failure.ts';
import { type IssueUploadDependencies, issueUpload, type UploadOutcome } from '../upload/issue-upload.ts';
import { callsPerMinute } from '../use-upload.ts';
import {
  type Candidates,
  findCandidates,
  handleEach,
  hasSize,
  type LfsObject,
  type LfsRequest,
  lfsKey,
  storageCallsDeadline,
} from './lfs-object.ts';

export type IssueLfsUploadsDependencies = IssueUploadDependencies & {
  /** Resolves in a later turn of the event loop, so that other requests get their turn. */
  readonly yieldToEventLoop: () => Promise<void>;
};

/** An object that is in the bucket with its length, so that nothing is granted. */
export type StoredLfsObject = {
  readonly outcome: 'stored';
  readonly rule: string;
  readonly grant: GrantedObject;
};

/** One object of a request. */
export type LfsUpload = {
  readonly object: LfsObject;
  /** The upload that was decided. */
  readonly request: UploadRequest;
  readonly result: UploadOutcome | StoredLfsObject;
};

type Decided = {
  readonly object: LfsObject;
  readonly request: UploadRequest;
  readonly decision: Decision<GrantedObject>;
};

/**
 * Decides on each object, asks the storage for those that the policy allows, and signs the upload
 * of each that is not stored. An object is never replaced: one with another length is an outcome
 * `exists`.
 *
 * A request counts as one call about uploads under each rule that allows an object, and as one more
 * for each object that is stored; each granted upload counts as {@link issueUpload} counts it. A
 * failure of the storage is the outcome `error` of that object and all that follow.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export async function issueLfsUploads(
  dependencies: IssueLfsUploadsDependencies,
  context: CallerContext,
  { target, objects }: LfsRequest,
): Promise<readonly LfsUpload[]> {
  const { limiter, clock, yieldToEventLoop, beforeGrant } = dependencies;
  const { caller, policy, storage } = context;
  const { issuer, subject } = caller;
  const candidates = findCandidates(policy, caller, target, ['upload']);
  const decided: Decided[] = [];
  for (const [index, object] of objects.entries()) {
    if (index > 0) await yieldToEventLoop();
    decided.push(decideObject(context, candidates, target, object));
  }
  const ofCandidates = { ...context, policy: { ...policy, rules: candidates.rules } };
  const deadline = storageCallsDeadline(clock());
  /** The verdict that rejects what follows, by the name of a rule. */
  const exhausted = new Map<string, LimitVerdict>();
  let failure: ServiceError | undefined;

  const granting = new Map(
    decided.flatMap(({ decision }) =>
      decision.allowed ? [[decision.grant.rule.name, decision.grant.rule] as const] : [],
    ),
  );
  if (granting.size > 0) beforeGrant?.();
  await Promise.all([...granting.values()].map((rule) => countCall(rule)));
  return await handleEach(decided, async ({ object, request, decision }) => ({
    object,
    request,
    result: await issueOne(object, request, decision),
  }));

  async function countCall(rule: GrantedObject['rule']): Promise<LimitVerdict | undefined> {
    const limits = { callsPerMinute: callsPerMinute(rule) };
    const verdict = await limiter.consume({ rule: rule.name, issuer, subject, bytes: 0, limits });
    if (verdict && !verdict.allowed) exhausted.set(rule.name, verdict);
    return verdict;
  }

  async function issueOne(
    object: LfsObject,
    request: UploadRequest,
    decision: Decision<GrantedObject>,
  ): Promise<LfsUpload['result']> {
    if (!decision.allowed) {
      const { allowed: _, ...denied } = decision;
      return { outcome: 'denied', ...denied };
    }
    const { grant } = decision;
    const { rule } = grant;
    const decidedBy = { rule: rule.name, grant };
    const reached = exhausted.get(rule.name);
    if (reached) return { outcome: 'limited', grant, verdict: reached };
    if (failure) return { outcome: 'error', ...decidedBy, error: failure };
    try {
      const stored = await clientOf(storage, rule.target).headObject(grant.key, deadline);
      if (stored && !hasSize(stored, object))
        return { outcome: 'exists', ...decidedBy, error: objectExists() };
      if (stored) {
        const verdict = await countCall(rule);
        return verdict?.allowed === false
          ? { outcome: 'limited', grant, verdict }
          : { outcome: 'stored', ...decidedBy };
      }
    } catch (error) {
      failure = rejectionByStorage(error);
      return { outcome: 'error', ...decidedBy, error: failure };
    }
    const result = await issueUpload(dependencies, ofCandidates, request);
    // A smaller object may still fit into the bytes of the day.
    if (result.outcome === 'limited' && result.verdict.limitedBy !== 'bytesPerDay')
      exhausted.set(rule.name, result.verdict);
    return result;
  }
}

/** Decides on an object below each prefix, in their order, until one is allowed. */
function decideObject(
  { caller, policy }: CallerContext,
  { rules, prefixes }: Candidates,
  target: string,
  object: LfsObject,
): Decided {
  const [first = '', ...others] = prefixes;
  // Without candidates, the whole policy states why.
  const deciding = rules.length === 0 ? policy : { ...policy, rules };
  const decide = (prefix: string): Decided => {
    const request = uploadOf(prefix, target, object);
    return { object, request, decision: decideUpload(deciding, caller, request, () => '') };
  };
  const nearest = decide(first);
  if (nearest.decision.allowed) return nearest;
  for (const prefix of others) {
    const decided = decide(prefix);
    if (decided.decision.allowed) return decided;
  }
  return nearest;
}

function uploadOf(prefix: string, target: string, { oid, size }: LfsObject): UploadRequest {
  return {
    key: lfsKey(prefix, oid),
    transfer: 'put',
    contentType: 'application/octet-stream',
    contentLength: size,
    metadata: {},
    overwrite: false,
    target,
  };
}
