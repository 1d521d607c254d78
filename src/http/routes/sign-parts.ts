import { parsePartsRequestBody, partsRequestBody } from '../../grants/multipart/parts-request.ts';
import { signedParts } from '../../grants/multipart/parts-response.ts';
import {
  type SignPartsDependencies as SigningDependencies,
  signParts as sign,
} from '../../grants/multipart/sign-parts.ts';
import { PARTS_REQUEST_EXAMPLE, SIGNED_PARTS_EXAMPLE } from '../docs/openapi-examples.ts';
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

export type SignPartsDependencies = SigningDependencies & AuditDependencies;

/** `POST /v1/uploads/parts`: signs parts of a multipart upload. */
export const signParts: Route<SignPartsDependencies> = {
  method: 'POST',
  path: '/v1/uploads/parts',
  isPublic: false,
  openapi: {
    operationId: 'signUploadParts',
    tag: 'Uploads',
    summary: 'Get the URLs of parts of a multipart upload',
    requestBody: { name: 'PartsRequest', schema: partsRequestBody, example: PARTS_REQUEST_EXAMPLE },
    responses: {
      200: {
        description:
          'PUT each part to its `url`, in any order and as often as needed. Clients should sign 20 to 100 parts at a time.',
        content: { name: 'SignedParts', schema: signedParts, example: SIGNED_PARTS_EXAMPLE },
      },
    },
    problems: [
      ...(['invalid_request', 'upload_id_invalid', 'upload_id_expired'] as const),
      ...(['body_too_large', 'unsupported_media_type'] as const),
    ],
  },
  handler: (dependencies) => {
    const { auditGate, logger, observer } = dependencies;
    const signingDependencies = { ...dependencies, beforeCheck: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const callerContext = callerContextOf(request);
      const body = parsePartsRequestBody(request.body);
      const signed = await sign(signingDependencies, callerContext, body);
      const status = signed.outcome === 'granted' ? 200 : rejectedStatusOf(signed);
      logAudit(logger, request, reply, status, completionAudit('parts', callerContext, signed));
      if (auditGate && signed.outcome === 'granted') await requireWrittenAudit(auditGate, request);
      countCompletion(observer, signed);
      if (signed.outcome !== 'granted') throw rejectionOfCall(signed);
      const { verdict, response } = signed;
      return {
        status,
        headers: { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) },
        json: response,
      };
    };
  },
};
