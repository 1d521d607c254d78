import {
  type CompleteUploadDependencies as CompletionDependencies,
  completeUpload as complete,
} from '../../grants/completion/complete-upload.ts';
import { completeRequestBody, parseCompleteRequestBody } from '../../grants/completion/request.ts';
import { completedUpload } from '../../grants/completion/response.ts';
import { COMPLETED_EXAMPLE, UPLOAD_ID_EXAMPLE } from '../docs/openapi-examples.ts';
import { type AuditDependencies, logAudit, requireOpenAudit, requireWrittenAudit } from '../grants/audit.ts';
import {
  completionAudit,
  countCompletion,
  rejectedStatusOf,
  rejectionOfCall,
} from '../grants/completion-outcome.ts';
import { limitHeaders } from '../grants/limit-headers.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import type { Route } from './route.ts';

export type CompleteUploadDependencies = CompletionDependencies & AuditDependencies;

/** `POST /v1/uploads/complete`: assembles parts, and confirms the object as granted. */
export const completeUpload: Route<CompleteUploadDependencies> = {
  method: 'POST',
  path: '/v1/uploads/complete',
  isPublic: false,
  openapi: {
    operationId: 'completeUpload',
    tag: 'Uploads',
    summary: 'Confirm an upload and get a receipt',
    requestBody: {
      name: 'CompleteUploadRequest',
      schema: completeRequestBody,
      example: { id: UPLOAD_ID_EXAMPLE },
    },
    responses: {
      200: {
        description: 'The object is stored as granted. A backend verifies `receipt` with the public keys.',
        content: { name: 'CompletedUpload', schema: completedUpload, example: COMPLETED_EXAMPLE },
      },
    },
    problems: [
      ...(['invalid_request', 'upload_id_invalid', 'upload_absent', 'upload_mismatch'] as const),
      ...(['upload_incomplete', 'object_exists'] as const),
      ...(['upload_id_expired', 'body_too_large', 'unsupported_media_type', 'storage_error'] as const),
      'notification_failed' as const,
    ],
  },
  handler: (dependencies) => {
    const { auditGate, logger, observer } = dependencies;
    const completionDependencies = { ...dependencies, beforeCheck: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const callerContext = callerContextOf(request);
      const body = parseCompleteRequestBody(request.body);
      const completion = await complete(completionDependencies, callerContext, body);
      const status = completion.outcome === 'stored' ? 200 : rejectedStatusOf(completion);
      logAudit(logger, request, reply, status, completionAudit('complete', callerContext, completion));
      const hasReceipt = completion.outcome === 'stored' || completion.outcome === 'not_notified';
      if (auditGate && hasReceipt) await requireWrittenAudit(auditGate, request);
      countCompletion(observer, completion);
      if (completion.outcome !== 'stored') throw rejectionOfCall(completion);
      const { verdict, response } = completion;
      return {
        status,
        headers: { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) },
        json: response,
      };
    };
  },
};
