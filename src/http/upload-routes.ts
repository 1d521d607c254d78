import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError, summarizeFaults } from '../errors.ts';
import { describePolicy } from '../policy/describe-policy.ts';
import type { UploadRequest } from '../policy/upload-request.ts';
import { type IssueUploadDependencies, issueUpload, type UploadOutcome } from '../uploads/issue-upload.ts';
import type { LimitVerdict } from '../uploads/limiter.ts';
import { uploadAnswerText } from '../uploads/upload-answer.ts';
import { parseUploadRequestBody } from '../uploads/upload-request-body.ts';
import { auditText } from './audit-text.ts';
import { admissionOf } from './authenticate.ts';
import type { ServiceLogger } from './logging.ts';
import type { Decided, Observer } from './observer.ts';
import { writeRequestLine } from './request-lines.ts';
import { othersToo } from './turns.ts';

export type UploadRoutesOptions = IssueUploadDependencies & {
  readonly observer: Observer;
  readonly logger: ServiceLogger;
};

/** `POST /v1/uploads` and `GET /v1/policy`. */
export function registerUploadRoutes(app: FastifyInstance, dependencies: UploadRoutesOptions): void {
  const { observer, logger } = dependencies;
  app.post('/v1/uploads', async (request, reply) => {
    const admission = admissionOf(request);
    const upload = parseUploadRequestBody(request.body);
    const outcome = await issueUpload(dependencies, admission, upload);
    const decision = decisionOf(outcome);
    observer.decided(decision);
    audit(logger, request, reply, upload, decision);
    await othersToo;
    if (outcome.outcome === 'denied') {
      throw new ServiceError('policy_denied', summarizeFaults(outcome.violations), {
        errors: outcome.violations,
      });
    }
    setLimitHeaders(reply, outcome.verdict);
    if (outcome.outcome === 'limited') throw limitReached(outcome.verdict);
    const text = uploadAnswerText(outcome.answer);
    await othersToo;
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

/**
 * One line per decision. Written before the answer, for a client that has gone by then was granted it all the same.
 */
function audit(
  logger: ServiceLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  upload: UploadRequest,
  decision: Decision,
): void {
  const { caller } = admissionOf(request);
  const { outcome, rule, target, key, reasons } = decision;
  const told = auditText({
    outcome,
    reasons,
    issuer: caller.issuer,
    subject: caller.subject,
    rule,
    target: target ?? upload.target,
    key: key ?? upload.key,
    contentType: upload.contentType,
    contentLength: upload.contentLength ?? null,
  });
  writeRequestLine(logger, 'info', request, reply, `"audit":${told}`, `upload ${outcome}`);
  request.lineLevel = 'debug';
}

type Decision = Decided & { readonly target?: string; readonly key?: string };

function decisionOf(result: UploadOutcome): Decision {
  const { outcome } = result;
  switch (outcome) {
    case 'granted':
      return {
        outcome,
        rule: result.rule,
        target: result.answer.target,
        key: result.answer.key,
        reasons: [],
      };
    case 'limited':
      return {
        outcome,
        rule: result.grant.rule.name,
        target: result.grant.rule.target.name,
        key: result.grant.key,
        reasons: [result.verdict.limitedBy],
      };
    case 'denied':
      return {
        outcome,
        rule: result.rule,
        reasons: [...new Set(result.violations.map((violation) => violation.code))],
      };
  }
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
