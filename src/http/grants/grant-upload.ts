import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallerContext } from '../../grants/grant.ts';
import {
  type IssueUploadDependencies,
  issueUpload,
  type UploadOutcome,
} from '../../grants/upload/issue-upload.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { type AuditDependencies, logAudit, requireOpenAudit, requireWrittenAudit } from './audit.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { limitHeaders } from './limit-headers.ts';
import { decisionOf, rejectionOf, statusOf } from './outcome.ts';
import { uploadAudit } from './upload-audit.ts';

export type GrantUploadDependencies = IssueUploadDependencies &
  AuditDependencies & {
    /** Whether all replicas have the same service keys, or there is only one replica. */
    readonly canContinueUploads: boolean;
  };

export type GrantedUploadOutcome = Extract<UploadOutcome, { readonly outcome: 'granted' }>;

export type GrantUpload = (
  request: FastifyRequest,
  reply: FastifyReply,
  callerContext: CallerContext,
  upload: UploadRequest,
) => Promise<GrantedUploadOutcome>;

/** The status of the response to a granted upload. */
export const GRANTED_STATUS = 201;

/**
 * Returns a function that grants one upload, with the `Idempotency-Key` of the request, its audit
 * line and its metrics. It throws the rejection as a ServiceError.
 */
export function createGrantUpload(dependencies: GrantUploadDependencies): GrantUpload {
  const { auditGate, logger, observer, canContinueUploads } = dependencies;
  const issueDependencies = { ...dependencies, beforeGrant: () => requireOpenAudit(auditGate) };
  return async (request, reply, callerContext, upload) => {
    const idempotencyKey = idempotencyKeyOf(request.headers, upload, canContinueUploads);
    const outcome = await issueUpload(issueDependencies, callerContext, upload, idempotencyKey);
    const status = statusOf(outcome, GRANTED_STATUS);
    logAudit(logger, request, reply, status, uploadAudit(callerContext, upload, outcome));
    if (auditGate && outcome.outcome === 'granted') await requireWrittenAudit(auditGate, request);
    observer.decided(decisionOf(outcome));
    if (outcome.outcome !== 'granted') throw rejectionOf(outcome);
    return outcome;
  };
}

/** The response to a granted upload: never cached, with the limits of its rule. */
export function grantResponse({ verdict }: GrantedUploadOutcome, json: unknown) {
  return {
    status: GRANTED_STATUS,
    headers: { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) },
    json,
  };
}
