import type { CallerContext } from '../../grants/grant.ts';
import type { UploadOutcome } from '../../grants/upload/issue-upload.ts';
import type { UploadAudit } from '../../log/audit-json.ts';
import { explainDenial } from '../../policy/explain-denial.ts';
import { uploadQuestion } from '../../policy/rule-verdicts.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { cutForLog } from '../../text/log-text.ts';
import { reasonsOf } from './outcome.ts';

/**
 * The audit of the request for one upload. The texts of a grant are logged whole; otherwise, texts
 * that the caller chose are cut.
 */
export function uploadAudit(
  { caller, policy }: CallerContext,
  upload: UploadRequest,
  result: UploadOutcome,
): UploadAudit {
  const { outcome } = result;
  const { issuer, subject } = caller;
  const { transfer, contentType, contentLength = null, maxContentLength } = upload;
  if (outcome === 'granted') {
    const { target, bucket, key, expiresAt } = result.response;
    return {
      operation: 'upload',
      outcome,
      reasons: [],
      issuer,
      subject,
      transfer,
      grantId: result.grant.grantId,
      rule: result.rule,
      target,
      bucket,
      key,
      contentType,
      contentLength,
      maxContentLength,
      expiresAt,
    };
  }
  const common = {
    operation: 'upload',
    reasons: reasonsOf(result),
    issuer,
    subject,
    transfer,
    contentType: cutForLog(contentType),
    contentLength,
    maxContentLength,
    expiresAt: null,
  } as const;
  if (outcome === 'limited') {
    const { rule, key } = result.grant;
    const { name: target, bucket } = rule.target;
    return { ...common, outcome, rule: rule.name, target, bucket, key: cutForLog(key) };
  }
  if (outcome === 'exists' || outcome === 'error') {
    const { rule, key, grantId } = result.grant;
    const { name: target, bucket } = rule.target;
    return { ...common, outcome, grantId, rule: rule.name, target, bucket, key, contentType };
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
    ...explainDenial(policy, caller, uploadQuestion(upload, caller), result.rule),
  };
}

function cutIfDefined(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cutForLog(text);
}
