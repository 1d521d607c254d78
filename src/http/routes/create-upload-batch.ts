import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceError } from '../../errors.ts';
import type { CallerContext } from '../../grants/grant.ts';
import type { DenialLimiter } from '../../grants/ports/limiter.ts';
import { parseBatchItem, parseUploadBatchBody, uploadBatchBody } from '../../grants/upload/batch-request.ts';
import {
  type BatchItem,
  type IssueBatchDependencies,
  ITEMS_PER_TURN,
  issueBatch,
} from '../../grants/upload/issue-batch.ts';
import { BATCH_EXAMPLE, BATCH_REQUEST_EXAMPLE } from '../docs/openapi-examples.ts';
import { logAudit, requireOpenAudit, requireWrittenAudit } from '../grants/audit.ts';
import {
  countItem,
  itemAudit,
  itemProblem,
  rejectionOfItem,
  tightestVerdict,
} from '../grants/batch-items.ts';
import { idempotencyKeyOfBatch, requireRepeatable } from '../grants/idempotency-key.ts';
import { limitHeaders } from '../grants/limit-headers.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import { countDenial } from '../plugins/denial-limit.ts';
import { MAX_LIST_BODY_BYTES } from '../plugins/json-body.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { type UploadBatchGrants, uploadBatchGrants } from './batch-response.ts';
import type { CreateUploadDependencies } from './create-upload.ts';
import type { Route } from './route.ts';

export type CreateUploadBatchDependencies = CreateUploadDependencies &
  IssueBatchDependencies & {
    /** Counts each item that is denied or not valid. */
    readonly denials: DenialLimiter;
  };

/** `POST /v1/uploads/batch`: grants the uploads of up to 100 files, each on its own. */
export const createUploadBatch: Route<CreateUploadBatchDependencies> = {
  method: 'POST',
  path: '/v1/uploads/batch',
  isPublic: false,
  maxBodyBytes: MAX_LIST_BODY_BYTES,
  openapi: {
    operationId: 'issueUploads',
    tag: 'Uploads',
    summary: 'Request permission to upload up to 100 files',
    requestHeaders: [
      {
        name: 'Idempotency-Key',
        description:
          '1 to 255 visible ASCII characters, such as a UUID, if all items have `filename`. An item at the same place of the same list gets the same object key, so a retried request cannot create second objects.',
      },
    ],
    requestBody: { name: 'UploadBatch', schema: uploadBatchBody, example: BATCH_REQUEST_EXAMPLE },
    responses: {
      200: {
        description:
          'An item for each upload: the grant with `"status": 201`, or the problem document with its own status. This is also the response if no upload is granted.',
        headers: ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
        content: { name: 'UploadBatchGrants', schema: uploadBatchGrants, example: BATCH_EXAMPLE },
      },
    },
    problems: ['invalid_request', 'body_too_large', 'unsupported_media_type'],
  },
  handler: (dependencies) => {
    const { auditGate, observer, canContinueUploads, yieldToEventLoop } = dependencies;
    const issueDependencies = { ...dependencies, beforeGrant: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const context = callerContextOf(request);
      const items = parseUploadBatchBody(request.body);
      const idempotencyKey = idempotencyKeyOfBatch(request.headers, canContinueUploads);
      const parse = idempotencyKey === undefined ? parseBatchItem : parseRepeatableItem;
      // The body, which is long, was parsed in this turn.
      await yieldToEventLoop();
      const issued = await issueBatch(issueDependencies, context, { items, parse, idempotencyKey });
      const rejections = await logItems(dependencies, request, reply, context, issued);
      if (auditGate && rejections.includes(undefined)) await requireWrittenAudit(auditGate, request);
      const described: UploadBatchGrants['items'] = [];
      for (const [index, item] of issued.entries()) {
        if (index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
        const rejection = rejections[index];
        countItem(observer, item, rejection);
        described.push(rejection ? itemProblem(rejection, index, request.id) : grantedItem(item));
      }
      const verdict = tightestVerdict(issued);
      return {
        status: 200,
        headers: {
          'cache-control': 'no-store',
          ...(verdict && limitHeaders(verdict)),
        },
        json: { items: described },
      };
    };
  },
};

function parseRepeatableItem(item: unknown): ReturnType<typeof parseBatchItem> {
  const upload = parseBatchItem(item);
  requireRepeatable(upload);
  return upload;
}

/**
 * Counts each denied or invalid item against its caller, and writes the audit line of each item.
 * @returns what the client receives instead of a grant, for each item; undefined for a grant.
 */
async function logItems(
  { denials, logger, yieldToEventLoop }: CreateUploadBatchDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  context: CallerContext,
  issued: readonly BatchItem[],
): Promise<readonly (ServiceError | undefined)[]> {
  const rejections: (ServiceError | undefined)[] = [];
  for (const [index, item] of issued.entries()) {
    if (index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
    const reason = rejectionOfItem(item);
    const rejection = reason && countDenial(denials, logger, request, reason);
    const status = rejection ? PROBLEMS[rejection.code].status : 201;
    const unexplained = 'invalid' in item ? rejection : undefined;
    logAudit(logger, request, reply, status, itemAudit(context, item, index), unexplained);
    rejections.push(rejection);
  }
  return rejections;
}

/** @throws TypeError for an item that is not granted: a programming error. */
export function grantedItem(item: BatchItem): UploadBatchGrants['items'][number] {
  const response = 'result' in item && item.result.outcome === 'granted' ? item.result.response : undefined;
  if (!response || response.transfer === 'multipart') throw new TypeError('the item is not granted');
  return response.transfer === 'put' ? { status: 201, ...response } : { status: 201, ...response };
}
