import { CALLBACK_PATH } from '../../grants/callback/callback-url.ts';
import { type ConfirmCallbackDependencies, confirmCallback } from '../../grants/callback/confirm-callback.ts';
import {
  callbackRequestBody,
  MAX_CALLBACK_BYTES,
  parseCallbackRequestBody,
} from '../../grants/callback/request.ts';
import { confirmedCallback } from '../../grants/callback/response.ts';
import { notificationFailed } from '../../grants/completion/rejections.ts';
import { UPLOAD_ID_EXAMPLE } from '../docs/openapi-examples.ts';
import { type AuditDependencies, logAudit, requireOpenAudit, requireWrittenAudit } from '../grants/audit.ts';
import {
  completionAudit,
  countCompletion,
  rejectedStatusOf,
  rejectionOfCall,
} from '../grants/completion-outcome.ts';
import type { ActivePolicy } from '../plugins/authentication.ts';
import type { Route } from './route.ts';

export type ReceiveCallbackDependencies = ConfirmCallbackDependencies &
  AuditDependencies & {
    /** The policy of this moment. */
    readonly active: () => Pick<ActivePolicy, 'policy' | 'storage'>;
  };

/** `POST /v1/callbacks/oss`: OSS reports that an upload is stored. */
export const receiveCallback: Route<ReceiveCallbackDependencies> = {
  method: 'POST',
  path: CALLBACK_PATH,
  isPublic: true,
  maxBodyBytes: MAX_CALLBACK_BYTES,
  keepsRawBody: true,
  openapi: {
    operationId: 'receiveCallback',
    tag: 'Callbacks',
    summary: 'Confirm an upload that OSS reports',
    requestBody: {
      name: 'CallbackRequest',
      schema: callbackRequestBody,
      example: { id: UPLOAD_ID_EXAMPLE },
    },
    responses: {
      200: {
        description: 'The object is stored as granted. OSS passes the body on to the client.',
        content: { name: 'ConfirmedCallback', schema: confirmedCallback, example: { state: 'stored' } },
      },
    },
    problems: [
      ...(['invalid_request', 'unauthenticated', 'upload_id_invalid', 'upload_absent'] as const),
      ...(['upload_mismatch', 'upload_id_expired', 'body_too_large', 'unsupported_media_type'] as const),
      ...(['rate_limited', 'storage_error', 'notification_failed', 'unavailable'] as const),
    ],
    requestHeaders: [
      { name: 'x-oss-pub-key-url', description: 'The address of the key of the signature, in base64.' },
    ],
  },
  handler: (dependencies) => {
    const { active, auditGate, clock, logger, observer } = dependencies;
    const callbackDependencies = { ...dependencies, beforeCheck: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const at = new Date(clock().getTime() - reply.elapsedTime);
      const { id } = parseCallbackRequestBody(request.body);
      const { authorization, 'x-oss-pub-key-url': keyUrl } = request.headers;
      const call = {
        authorization,
        keyUrl: typeof keyUrl === 'string' ? keyUrl : undefined,
        query: queryOf(request.url),
        body: request.rawBody ?? Buffer.alloc(0),
      };
      const outcome = await confirmCallback(callbackDependencies, active(), { id, call, at });
      const status = outcome.outcome === 'stored' ? 200 : rejectedStatusOf(outcome);
      // OSS calls in the name of the uploader.
      const audit = completionAudit('callback', { caller: outcome.granted?.caller }, outcome);
      logAudit(logger, request, reply, status, audit);
      if (auditGate && outcome.outcome === 'stored') await requireWrittenAudit(auditGate, request);
      countCompletion(observer, outcome);
      // Anyone who has seen the call can send it again, so no response has a receipt.
      if (outcome.outcome === 'not_notified') throw notificationFailed(undefined);
      if (outcome.outcome !== 'stored') throw rejectionOfCall(outcome);
      return { status, headers: { 'cache-control': 'no-store' }, json: { state: 'stored' } };
    };
  },
};

/** The query of a request target as it was sent, without the question mark; empty without one. */
function queryOf(target: string): string {
  const start = target.indexOf('?');
  return start < 0 ? '' : target.slice(start + 1);
}
