import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import type { CallerContext } from '../../grants/grant.ts';
import type { AuditGate } from '../../grants/ports/audit-gate.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { UploadOutcome } from '../../grants/upload/issue-upload.ts';
import type { Audit } from '../../log/audit-json.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { explainDenial } from '../../policy/explain-denial.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { cutForLog } from '../../text/log-text.ts';
import { logRequest } from '../plugins/access-log.ts';
import { OUTCOME_STATUS, reasonsOf } from './outcome.ts';

/**
 * A grant that is not made, or not sent, because its audit line cannot be written. A shared
 * instance, because it may be thrown often.
 */
export const AUDIT_UNAVAILABLE = new ServiceError(
  'unavailable',
  'The service cannot record grants at the moment; try again.',
  { headers: { 'Retry-After': '5' } },
);

export type AuditDependencies = {
  readonly observer: Observer;
  readonly logger: ServiceLogger;
  /**
   * Holds grants back until their audit lines are written; undefined if grants do not wait for the
   * log.
   */
  readonly auditGate?: AuditGate | undefined;
};

/** The request that was decided on. */
export type AuditedRequest = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly upload: UploadRequest;
};

/**
 * Writes the audit line of an outcome. Logged before the response: the grant counts even if the
 * client has disconnected.
 */
export function logOutcome(
  logger: ServiceLogger,
  { request, reply, upload }: AuditedRequest,
  context: CallerContext,
  outcome: UploadOutcome,
): void {
  const line = { status: OUTCOME_STATUS[outcome.outcome], audit: auditOf(context, upload, outcome) };
  logRequest(logger, 'info', request, reply, line);
  request.lineLevel = 'debug';
}

/**
 * Waits until the audit line of a grant is written (`AUDIT_MODE=strict`).
 * @throws ServiceError `unavailable` if it could not be written.
 */
export async function requireWrittenAudit(auditGate: AuditGate, request: FastifyRequest): Promise<void> {
  if (await auditGate.written()) return;
  // The audit line may still be written later. The line with the status 503 then shows that the
  // grant was not sent.
  request.lineLevel = 'info';
  throw AUDIT_UNAVAILABLE;
}

/**
 * The audit of one outcome. The texts of a grant are logged whole; otherwise, texts that the caller
 * chose are cut.
 */
function auditOf({ caller, policy }: CallerContext, upload: UploadRequest, result: UploadOutcome): Audit {
  const { outcome } = result;
  const common = {
    reasons: reasonsOf(result),
    issuer: caller.issuer,
    subject: caller.subject,
    contentType: cutForLog(upload.contentType),
    contentLength: upload.contentLength ?? null,
    expiresAt: null,
  };
  if (outcome === 'granted') {
    const { target, bucket, key, expiresAt } = result.response;
    const { contentType } = upload;
    return { ...common, outcome, rule: result.rule, target, bucket, key, contentType, expiresAt };
  }
  if (outcome === 'limited') {
    const { rule, key } = result.grant;
    const { name: target, bucket } = rule.target;
    return { ...common, outcome, rule: rule.name, target, bucket, key: cutForLog(key) };
  }
  const concerned = policy.rules.find(({ name, target }) =>
    result.rule === undefined ? target.name === upload.target : name === result.rule,
  )?.target;
  return {
    ...common,
    outcome,
    rule: result.rule,
    target: concerned?.name ?? cutIfDefined(upload.target),
    bucket: concerned?.bucket ?? null,
    key: cutIfDefined(upload.key),
    ...explainDenial(policy, caller, upload, result.rule),
  };
}

function cutIfDefined(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cutForLog(text);
}
