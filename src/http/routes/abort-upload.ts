import { abortUpload as abort } from '../../grants/completion/abort-upload.ts';
import { abortRequestBody, parseAbortRequestBody } from '../../grants/completion/request.ts';
import type { UseUploadDependencies } from '../../grants/use-upload.ts';
import { UPLOAD_ID_EXAMPLE } from '../docs/openapi-examples.ts';
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

export type AbortUploadDependencies = UseUploadDependencies & Omit<AuditDependencies, 'auditGate'>;

/** `POST /v1/uploads/abort`: removes a multipart upload that is under way. */
export const abortUpload: Route<AbortUploadDependencies> = {
  method: 'POST',
  path: '/v1/uploads/abort',
  isPublic: false,
  openapi: {
    operationId: 'abortUpload',
    tag: 'Uploads',
    summary: 'Give up a multipart upload',
    requestBody: {
      name: 'AbortUploadRequest',
      schema: abortRequestBody,
      example: { id: UPLOAD_ID_EXAMPLE },
    },
    responses: {
      204: {
        description:
          'The multipart upload and its parts are removed. An object that it was completed to stays.',
      },
    },
    problems: [
      ...(['invalid_request', 'upload_id_invalid', 'upload_id_expired'] as const),
      ...(['body_too_large', 'unsupported_media_type', 'storage_error'] as const),
    ],
  },
  handler: (dependencies) => {
    const { logger, observer } = dependencies;
    return async (request, reply) => {
      const callerContext = callerContextOf(request);
      const { id } = parseAbortRequestBody(request.body);
      const aborted = await abort(dependencies, callerContext, id);
      const status = aborted.outcome === 'aborted' ? 204 : rejectedStatusOf(aborted);
      logAudit(logger, request, reply, status, completionAudit('abort', callerContext, aborted));
      countCompletion(observer, aborted);
      if (aborted.outcome !== 'aborted') throw rejectionOfCall(aborted);
      const { verdict } = aborted;
      return { status, headers: { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) } };
    };
  },
};
