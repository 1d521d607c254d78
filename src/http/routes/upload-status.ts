import { checkUpload } from '../../grants/completion/check-upload.ts';
import { parseStatusRequestBody, statusRequestBody } from '../../grants/completion/request.ts';
import { statusOfUpload, uploadStatus as uploadStatusBody } from '../../grants/completion/response.ts';
import type { UseUploadDependencies } from '../../grants/use-upload.ts';
import { OPEN_STATUS_EXAMPLE, STATUS_EXAMPLE, UPLOAD_ID_EXAMPLE } from '../docs/openapi-examples.ts';
import { type AuditDependencies, logAudit } from '../grants/audit.ts';
import {
  completionAudit,
  countCompletion,
  rejectedStatusOf,
  rejectionOfCall,
} from '../grants/completion-outcome.ts';
import { limitHeaders } from '../grants/limit-headers.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import type { Route } from './route.ts';

export type UploadStatusDependencies = UseUploadDependencies & Omit<AuditDependencies, 'auditGate'>;

/** `POST /v1/uploads/status`: reports what is stored of an upload. */
export const uploadStatus: Route<UploadStatusDependencies> = {
  method: 'POST',
  path: '/v1/uploads/status',
  isPublic: false,
  openapi: {
    operationId: 'getUploadStatus',
    tag: 'Uploads',
    summary: 'Ask what is stored of an upload',
    requestBody: {
      name: 'UploadStatusRequest',
      schema: statusRequestBody,
      example: { id: UPLOAD_ID_EXAMPLE },
    },
    responses: {
      200: {
        description: 'The object is stored as granted or absent, or a multipart upload is under way.',
        content: {
          name: 'UploadStatus',
          schema: uploadStatusBody,
          examples: { stored: STATUS_EXAMPLE, open: OPEN_STATUS_EXAMPLE },
        },
      },
    },
    problems: [
      ...(['invalid_request', 'upload_id_invalid', 'upload_mismatch', 'upload_id_expired'] as const),
      ...(['body_too_large', 'unsupported_media_type', 'storage_error'] as const),
    ],
  },
  handler: (dependencies) => {
    const { logger, observer } = dependencies;
    return async (request, reply) => {
      const callerContext = callerContextOf(request);
      const { id } = parseStatusRequestBody(request.body);
      const check = await checkUpload(dependencies, callerContext, id);
      const isKnown = check.outcome === 'stored' || check.outcome === 'open' || check.outcome === 'absent';
      const status = isKnown ? 200 : rejectedStatusOf(check);
      logAudit(logger, request, reply, status, completionAudit('status', callerContext, check));
      countCompletion(observer, check);
      if (!isKnown) throw rejectionOfCall(check);
      return {
        status,
        headers: { 'cache-control': 'no-store', ...(check.verdict && limitHeaders(check.verdict)) },
        json: statusOfUpload(check.granted, check),
      };
    };
  },
};
