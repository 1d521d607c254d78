import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AUDIT_UNAVAILABLE, ServiceError, summarizeFaults } from '../../errors.ts';
import type { AuditGate } from '../../grants/ports/audit-gate.ts';
import type { LimitVerdict } from '../../grants/ports/limiter.ts';
import type { Decided, Observer } from '../../grants/ports/observer.ts';
import {
  type Admission,
  type IssueUploadDependencies,
  issueUpload,
  type UploadOutcome,
} from '../../grants/upload/issue-upload.ts';
import { parseUploadRequestBody } from '../../grants/upload/request.ts';
import { uploadAnswerText } from '../../grants/upload/response.ts';
import { type Audit, auditText } from '../../log/audit-line.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { describePolicy } from '../../policy/describe-policy.ts';
import { explainDenial } from '../../policy/explain-denial.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { cutForLog } from '../../text/json-text.ts';
import { nextStep } from '../load-control/in-step.ts';
import { writeRequestLine } from '../plugins/access-log.ts';
import { admissionOf } from '../plugins/authentication.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';

export type UploadRoutesOptions = IssueUploadDependencies & {
  readonly observer: Observer;
  readonly logger: ServiceLogger;
  /** What a grant waits for; undefined if it never waits for the log. */
  readonly auditGate?: AuditGate | undefined;
};

/** `POST /v1/uploads` and `GET /v1/policy`. */
export function registerUploadRoutes(app: FastifyInstance, dependencies: UploadRoutesOptions): void {
  const { observer, logger, auditGate } = dependencies;
  const issueDependencies = {
    ...dependencies,
    beforeGrant: () => {
      if (auditGate?.isOpen() === false) throw AUDIT_UNAVAILABLE;
    },
  };
  app.post('/v1/uploads', async (request, reply) => {
    const admission = admissionOf(request);
    const upload = parseUploadRequestBody(request.body);
    const outcome = await issueUpload(issueDependencies, admission, upload);
    audit(logger, request, reply, upload, outcome);
    if (auditGate && outcome.outcome === 'granted' && !(await auditGate.written())) {
      // The audit line may still be written later. The line with the status 503 then says that the grant was not sent.
      request.lineLevel = 'info';
      throw AUDIT_UNAVAILABLE;
    }
    observer.decided(decisionOf(outcome));
    await nextStep;
    if (outcome.outcome === 'denied') {
      throw new ServiceError('policy_denied', summarizeFaults(outcome.violations), {
        errors: outcome.violations,
      });
    }
    setLimitHeaders(reply, outcome.verdict);
    if (outcome.outcome === 'limited') throw limitReached(outcome.verdict);
    const text = uploadAnswerText(outcome.answer);
    await nextStep;
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(text);
  });

  app.get('/v1/policy', async (request, reply) => {
    const { caller, policy } = admissionOf(request);
    reply.header('cache-control', 'no-store');
    return { rules: describePolicy(policy, caller) };
  });
}

/** Writes the audit line of a decision. Logged before the response: the grant counts even if the client has disconnected. */
function audit(
  logger: ServiceLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  upload: UploadRequest,
  outcome: UploadOutcome,
): void {
  const text = auditText(auditOf(outcome, upload, admissionOf(request)));
  const status = AUDITED_STATUS[outcome.outcome];
  writeRequestLine(logger, 'info', request, reply, status, `,"audit":${text}`, `upload ${outcome.outcome}`);
  request.lineLevel = 'debug';
}

const AUDITED_STATUS = {
  granted: 201,
  limited: PROBLEMS.rate_limited.status,
  denied: PROBLEMS.policy_denied.status,
} as const;

/** What was granted is logged whole; what the caller chose of anything else is cut. */
function auditOf(result: UploadOutcome, upload: UploadRequest, { caller, policy }: Admission): Audit {
  const { outcome } = result;
  const common = {
    issuer: caller.issuer,
    subject: caller.subject,
    contentType: cutForLog(upload.contentType),
    contentLength: upload.contentLength ?? null,
    expiresAt: null,
  };
  if (outcome === 'granted') {
    const { target, bucket, key, expiresAt } = result.answer;
    return {
      ...common,
      outcome,
      reasons: [],
      rule: result.rule,
      target,
      bucket,
      key,
      contentType: upload.contentType,
      expiresAt,
    };
  }
  if (outcome === 'limited') {
    const { rule, key } = result.grant;
    const { name: target, bucket } = rule.target;
    const reasons = [result.verdict.limitedBy];
    return { ...common, outcome, reasons, rule: rule.name, target, bucket, key: cutForLog(key) };
  }
  const concerned = policy.rules.find(({ name, target }) =>
    result.rule === undefined ? target.name === upload.target : name === result.rule,
  )?.target;
  return {
    ...common,
    outcome,
    reasons: reasonsOf(result),
    rule: result.rule,
    target: concerned?.name ?? cutIfAny(upload.target),
    bucket: concerned?.bucket ?? null,
    key: cutIfAny(upload.key),
    ...explainDenial(policy, caller, upload, result.rule),
  };
}

function cutIfAny(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cutForLog(text);
}

function decisionOf(result: UploadOutcome): Decided {
  const { outcome } = result;
  if (outcome === 'granted') return { outcome, rule: result.rule, reasons: [] };
  if (outcome === 'limited')
    return { outcome, rule: result.grant.rule.name, reasons: [result.verdict.limitedBy] };
  return { outcome, rule: result.rule, reasons: reasonsOf(result) };
}

function reasonsOf({ violations }: Extract<UploadOutcome, { outcome: 'denied' }>): readonly string[] {
  return [...new Set(violations.map(({ code }) => code))];
}

// draft-ietf-httpapi-ratelimit-headers-06: the field names that clients and proxies know.
function setLimitHeaders(reply: FastifyReply, verdict: LimitVerdict | undefined): void {
  if (!verdict) return;
  reply.header('ratelimit-limit', verdict.limit);
  reply.header('ratelimit-remaining', verdict.remaining);
  reply.header('ratelimit-reset', verdict.resetInSeconds);
}

function limitReached({ limitedBy, limit, resetInSeconds }: LimitVerdict): ServiceError {
  const bound = limitedBy === 'requestsPerMinute' ? `${limit} requests per minute` : `${limit} bytes per day`;
  return new ServiceError(
    'rate_limited',
    `The limit of ${bound} is reached; try again in ${resetInSeconds} seconds.`,
    {
      headers: { 'Retry-After': String(resetInSeconds) },
    },
  );
}
