import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ServiceError } from '../../../errors.ts';
import { notificationFailed } from '../../../grants/completion/rejections.ts';
import { verifyLfsObject } from '../../../grants/git-lfs/verify-lfs-object.ts';
import { MAX_UPLOAD_ID_LENGTH } from '../../../grants/upload-id.ts';
import { logAudit, requireOpenAudit, requireWrittenAudit } from '../../grants/audit.ts';
import {
  completionAudit,
  countCompletion,
  rejectedStatusOf,
  rejectionOfCall,
} from '../../grants/completion-outcome.ts';
import { limitHeaders } from '../../grants/limit-headers.ts';
import { callerContextOf } from '../../plugins/authentication.ts';
import type { CompleteUploadDependencies as ObjectsVerifyDependencies } from '../../routes/complete-upload.ts';
import type { Route } from '../../routes/route.ts';
import { GIT_LFS, lfsPath, UPLOAD_ID_HEADER } from './protocol.ts';
import { lfsObject, parseLfsBody } from './request.ts';

export type { ObjectsVerifyDependencies };

/** `POST /v1/adapters/lfs/:target/objects/verify`: confirms an upload, as git-lfs asks for it. */
export const objectsVerify: Route<ObjectsVerifyDependencies> = {
  method: 'POST',
  path: `${lfsPath(':target')}/objects/verify`,
  isPublic: false,
  protocol: GIT_LFS,
  openapi: {
    operationId: 'lfsVerify',
    tag: 'Uploads',
    summary: 'Confirm the upload of an object, for git-lfs',
    pathParameters: [{ name: 'target', description: 'One of the policy’s targets.', example: 'media' }],
    requestHeaders: [{ name: 'Upload-Id', description: 'The upload id, as the `verify` action has it.' }],
    requestBody: {
      name: 'LfsVerifyRequest',
      schema: lfsObject,
      example: {
        oid: '6f5902ac237024bdd0c176cb93063dc4b2f9ba0c1b2b6f3b6a8b2f3c3f0e8f1a',
        size: 48_213,
      },
    },
    responses: {
      200: {
        description: 'The object is stored as granted.',
        content: { name: 'LfsVerified', schema: z.strictObject({}), example: {} },
      },
    },
    problems: [
      ...(['invalid_request', 'upload_id_invalid', 'upload_absent', 'upload_mismatch'] as const),
      ...(['upload_id_expired', 'body_too_large', 'unsupported_media_type', 'storage_error'] as const),
      'notification_failed' as const,
    ],
  },
  handler: (dependencies) => {
    const { auditGate, logger, observer } = dependencies;
    const completionDependencies = { ...dependencies, beforeCheck: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const context = callerContextOf(request);
      const object = parseLfsBody(lfsObject, request.body);
      const { target } = request.params as { readonly target: string };
      const completion = await verifyLfsObject(completionDependencies, context, {
        id: uploadIdOf(request),
        target,
        object,
      });
      const status = completion.outcome === 'stored' ? 200 : rejectedStatusOf(completion);
      logAudit(logger, request, reply, status, completionAudit('complete', context, completion));
      if (auditGate && completion.outcome === 'stored') await requireWrittenAudit(auditGate, request);
      countCompletion(observer, completion);
      // git-lfs has no use for a receipt, so no response has one.
      if (completion.outcome === 'not_notified') throw notificationFailed(undefined);
      if (completion.outcome !== 'stored') throw rejectionOfCall(completion);
      const { verdict } = completion;
      return {
        status,
        headers: { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) },
        json: {},
      };
    };
  },
};

function uploadIdOf({ headers }: FastifyRequest): string {
  const id = headers[UPLOAD_ID_HEADER];
  if (typeof id === 'string' && id !== '' && id.length <= MAX_UPLOAD_ID_LENGTH) return id;
  throw new ServiceError('invalid_request', 'Send the header Upload-Id, as the verify action has it.');
}
