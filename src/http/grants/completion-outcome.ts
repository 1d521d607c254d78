import type { ServiceError } from '../../errors.ts';
import type { CallbackOutcome } from '../../grants/callback/confirm-callback.ts';
import { callbackNotSigned } from '../../grants/callback/rejections.ts';
import type { UploadAbort } from '../../grants/completion/abort-upload.ts';
import type { UploadCheck } from '../../grants/completion/check-upload.ts';
import type { Completion } from '../../grants/completion/complete-upload.ts';
import {
  notificationFailed,
  uploadAbsent,
  uploadIdExpired,
  uploadIdInvalid,
  uploadIncomplete,
  uploadMismatch,
} from '../../grants/completion/rejections.ts';
import type { SignedPartsOutcome } from '../../grants/multipart/sign-parts.ts';
import { objectExists } from '../../grants/object-exists.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { GrantedUpload } from '../../grants/upload-id.ts';
import type { CompletionAudit } from '../../log/audit-json.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { limitReached } from './outcome.ts';

/** The end of any call about an upload that was granted before. */
export type CallOutcome = UploadCheck | Completion | UploadAbort | SignedPartsOutcome | CallbackOutcome;

/** The outcomes that are no rejection in any of the calls. */
type Success = 'stored' | 'open' | 'aborted' | 'granted';

/** The error that becomes the response to a call about an upload that did not succeed. */
export function rejectionOfCall(call: Exclude<CallOutcome, { readonly outcome: Success }>): ServiceError {
  switch (call.outcome) {
    case 'invalid':
      return uploadIdInvalid();
    case 'expired':
      return uploadIdExpired();
    case 'unauthenticated':
      return callbackNotSigned();
    case 'limited':
      return limitReached(call.verdict);
    case 'absent':
      return uploadAbsent(call.granted.transfer);
    case 'incomplete':
      return uploadIncomplete(call.missing, call.partCount);
    case 'exists':
      return objectExists();
    case 'mismatch':
      return uploadMismatch(call.differences);
    case 'not_notified':
      return notificationFailed(call.response);
    case 'error':
      return call.error;
  }
}

/** The status of the problem document of {@link rejectionOfCall}. */
export function rejectedStatusOf(call: Parameters<typeof rejectionOfCall>[0]): number {
  return PROBLEMS[rejectionOfCall(call).code].status;
}

/**
 * The audit of a call about an upload. It holds neither the upload id nor a receipt.
 * @param context.caller undefined for a callback with an id that this service did not make.
 */
export function completionAudit(
  operation: CompletionAudit['operation'],
  { caller }: { readonly caller: GrantedUpload['caller'] | undefined },
  call: CallOutcome,
): CompletionAudit {
  const { outcome, granted } = call;
  const coverage = call.outcome === 'invalid' ? undefined : call.coverage;
  const uploader = granted?.caller;
  const isOwn = uploader?.issuer === caller?.issuer && uploader?.subject === caller?.subject;
  return {
    operation,
    outcome,
    reasons: reasonsOfCall(call),
    issuer: caller?.issuer,
    subject: caller?.subject,
    grantId: granted?.grantId,
    rule: granted?.rule,
    target: granted?.target,
    bucket: granted?.bucket,
    key: granted?.key,
    uploaderIssuer: isOwn ? undefined : uploader?.issuer,
    uploaderSubject: isOwn ? undefined : uploader?.subject,
    confirmRule: coverage && coverage.by !== coverage.rule ? coverage.by.name : undefined,
    contentLength: 'stored' in call ? call.stored.contentLength : undefined,
    partCount: call.outcome === 'granted' ? call.response.parts.length : undefined,
    expiresAt: call.outcome === 'granted' ? call.response.expiresAt : undefined,
  };
}

/** Counts a call about an upload. A reached limit is counted with the rejections. */
export function countCompletion(observer: Observer, call: CallOutcome): void {
  const { outcome } = call;
  if (outcome === 'limited') return;
  observer.completed({ outcome, rule: outcome === 'invalid' ? undefined : call.coverage.rule.name });
}

/** The stable codes of what differs, of the limit, of the notification, or of the error. */
function reasonsOfCall(call: CallOutcome): readonly string[] {
  switch (call.outcome) {
    case 'limited':
      return [call.verdict.limitedBy];
    case 'mismatch':
      return [...new Set(call.differences.map(({ code }) => code))];
    case 'unauthenticated':
      return [call.reason];
    case 'not_notified':
      return [call.notification];
    case 'error':
      return [call.error.code];
    default:
      return [];
  }
}
