import type { ServiceError } from '../../errors.ts';
import type { UploadCheck } from '../../grants/completion/check-upload.ts';
import {
  uploadAbsent,
  uploadIdExpired,
  uploadIdInvalid,
  uploadMismatch,
} from '../../grants/completion/rejections.ts';
import type { CallerContext } from '../../grants/grant.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { CompletionAudit } from '../../log/audit-json.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { limitReached } from './outcome.ts';

/** The error that becomes the response to a call about an upload that is not stored as granted. */
export function rejectionOfCheck(check: Exclude<UploadCheck, { readonly outcome: 'stored' }>): ServiceError {
  switch (check.outcome) {
    case 'invalid':
      return uploadIdInvalid();
    case 'expired':
      return uploadIdExpired();
    case 'limited':
      return limitReached(check.verdict);
    case 'absent':
      return uploadAbsent();
    case 'mismatch':
      return uploadMismatch(check.differences);
    case 'error':
      return check.error;
  }
}

/** The status of the response to `complete`. */
export function statusOfCheck(check: UploadCheck): number {
  return check.outcome === 'stored' ? 200 : PROBLEMS[rejectionOfCheck(check).code].status;
}

/** The audit of a call about an upload. It holds neither the upload id nor a receipt. */
export function completionAudit(
  operation: 'status' | 'complete',
  { caller: { issuer, subject } }: CallerContext,
  check: UploadCheck,
): CompletionAudit {
  const { outcome, granted } = check;
  const coverage = check.outcome === 'invalid' ? undefined : check.coverage;
  const uploader = granted?.caller;
  const isOwn = uploader?.issuer === issuer && uploader.subject === subject;
  return {
    operation,
    outcome,
    reasons: reasonsOfCheck(check),
    issuer,
    subject,
    grantId: granted?.grantId,
    rule: granted?.rule,
    target: granted?.target,
    bucket: granted?.bucket,
    key: granted?.key,
    uploaderIssuer: isOwn ? undefined : uploader?.issuer,
    uploaderSubject: isOwn ? undefined : uploader?.subject,
    confirmRule: coverage && coverage.by !== coverage.rule ? coverage.by.name : undefined,
    contentLength: check.outcome === 'stored' ? check.stored.contentLength : undefined,
  };
}

/** Counts a call about an upload. A reached limit is counted with the rejections. */
export function countCompletion(observer: Observer, check: UploadCheck): void {
  const { outcome } = check;
  if (outcome === 'limited') return;
  observer.completed({ outcome, rule: outcome === 'invalid' ? undefined : check.coverage.rule.name });
}

/** The stable codes of what differs, of the limit, or of the error. */
function reasonsOfCheck(check: UploadCheck): readonly string[] {
  switch (check.outcome) {
    case 'limited':
      return [check.verdict.limitedBy];
    case 'mismatch':
      return [...new Set(check.differences.map(({ code }) => code))];
    case 'error':
      return [check.error.code];
    default:
      return [];
  }
}
