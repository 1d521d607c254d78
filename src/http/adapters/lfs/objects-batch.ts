import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ServiceError, summarizeFaults } from '../../../errors.ts';
import type { IssueDownloadsDependencies } from '../../../grants/download/issue-downloads.ts';
import {
  issueLfsDownloads,
  type LfsDownload,
  type LfsDownloads,
} from '../../../grants/git-lfs/issue-lfs-downloads.ts';
import { issueLfsUploads, type LfsUpload } from '../../../grants/git-lfs/issue-lfs-uploads.ts';
import type { LfsObject, LfsRequest } from '../../../grants/git-lfs/lfs-object.ts';
import type { CallerContext } from '../../../grants/grant.ts';
import type { DenialLimiter } from '../../../grants/ports/limiter.ts';
import type { Decided } from '../../../grants/ports/observer.ts';
import type { UploadAudit } from '../../../log/audit-json.ts';
import { logAudit, requireOpenAudit, requireWrittenAudit } from '../../grants/audit.ts';
import { decidedKeysOf } from '../../grants/decided-keys.ts';
import { downloadAudit } from '../../grants/download-audit.ts';
import type { GrantUploadDependencies } from '../../grants/grant-upload.ts';
import { decisionOf, deniedBy, limitReached, rejectionOf } from '../../grants/outcome.ts';
import { uploadAudit } from '../../grants/upload-audit.ts';
import { callerContextOf } from '../../plugins/authentication.ts';
import { countDeniedList } from '../../plugins/denial-limit.ts';
import { MAX_LIST_BODY_BYTES } from '../../plugins/json-body.ts';
import { PROBLEMS } from '../../plugins/problem-json.ts';
import type { Route, RouteResponse } from '../../routes/route.ts';
import { GIT_LFS, lfsPath, UPLOAD_ID_HEADER } from './protocol.ts';
import { lfsBatch, lfsObject, parseLfsBody } from './request.ts';

export type ObjectsBatchDependencies = GrantUploadDependencies &
  IssueDownloadsDependencies & {
    /** The address of the service, for the `verify` actions. */
    readonly publicUrl: string;
    /** Counts requests with a denied object. */
    readonly denials: DenialLimiter;
  };

const headers = z.record(z.string(), z.string());
const href = z.string().meta({ description: 'The presigned URL. A secret.' });
const expiresIn = z.int().meta({ description: 'Seconds until the URL expires.' });

const responseObject = z.strictObject({
  ...lfsObject.shape,
  authenticated: z.literal(true).optional(),
  actions: z
    .strictObject({
      upload: z
        .strictObject({
          href,
          header: headers.meta({ description: 'Each header that the client has to send, unchanged.' }),
          expires_in: expiresIn,
        })
        .optional(),
      verify: z
        .strictObject({
          href: z.string().meta({ description: 'The address that confirms the upload.' }),
          header: headers.meta({ description: 'The upload id, and the credentials of this request.' }),
        })
        .optional(),
      download: z.strictObject({ href, expires_in: expiresIn }).optional(),
    })
    .optional()
    .meta({
      description: 'The requests to send. Missing for an upload of an object that is stored already.',
    }),
  error: z
    .strictObject({
      code: z.int().meta({ description: '403, 404, 422 or 429.' }),
      message: z.string().meta({ description: 'One plain sentence that states what to change.' }),
    })
    .optional()
    .meta({ description: 'Why there is no action for this object.' }),
});

const batchResponse = z.strictObject({
  transfer: z.literal('basic'),
  objects: z.array(responseObject).meta({ description: 'In the order of the request.' }),
  hash_algo: z.literal('sha256'),
});

type ResponseObject = z.output<typeof responseObject>;

const OID = '6f5902ac237024bdd0c176cb93063dc4b2f9ba0c1b2b6f3b6a8b2f3c3f0e8f1a';

/** `POST /v1/adapters/lfs/:target/objects/batch`: the Batch API of git-lfs. */
export const objectsBatch: Route<ObjectsBatchDependencies> = {
  method: 'POST',
  path: `${lfsPath(':target')}/objects/batch`,
  isPublic: false,
  maxBodyBytes: MAX_LIST_BODY_BYTES,
  protocol: GIT_LFS,
  openapi: {
    operationId: 'lfsBatch',
    tag: 'Uploads',
    summary: 'Request permission to upload or download objects, for git-lfs',
    pathParameters: [{ name: 'target', description: 'One of the policy’s targets.', example: 'media' }],
    requestBody: {
      name: 'LfsBatchRequest',
      schema: lfsBatch,
      example: { operation: 'upload', transfers: ['basic'], objects: [{ oid: OID, size: 48_213 }] },
    },
    responses: {
      200: {
        description: 'An item for each object: its actions, or why there are none.',
        content: {
          name: 'LfsBatch',
          schema: batchResponse,
          example: {
            transfer: 'basic',
            objects: [
              {
                oid: OID,
                size: 48_213,
                authenticated: true,
                actions: {
                  upload: {
                    href: `https://acme-media.oss-cn-hangzhou.aliyuncs.com/team/lfs/6f/${OID}?x-oss-signature=…`,
                    header: { 'Content-Type': 'application/octet-stream' },
                    expires_in: 600,
                  },
                },
              },
            ],
            hash_algo: 'sha256',
          },
        },
      },
    },
    problems: ['invalid_request', 'body_too_large', 'unsupported_media_type', 'storage_error'],
  },
  handler: (dependencies) => async (request, reply) => {
    const { operation, objects } = parseLfsBody(lfsBatch, request.body);
    const { target } = request.params as { readonly target: string };
    const respond = operation === 'upload' ? respondToUploads : respondToDownloads;
    return await respond(dependencies, request, reply, { target, objects });
  },
};

async function respondToUploads(
  dependencies: ObjectsBatchDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: LfsRequest,
): Promise<RouteResponse> {
  const { auditGate, logger, observer, yieldToEventLoop, publicUrl } = dependencies;
  const context = callerContextOf(request);
  const beforeGrant = () => requireOpenAudit(auditGate);
  const uploads = await issueLfsUploads({ ...dependencies, beforeGrant }, context, asked);
  for (const [index, { request: upload, result }] of uploads.entries()) {
    if (index > 0 && index % OBJECTS_PER_TURN === 0) await yieldToEventLoop();
    const status = errorOf(result)?.code ?? 200;
    logAudit(logger, request, reply, status, { ...auditOf(context, upload, result), item: index });
    observer.decided(decidedOf(result));
  }
  const isAnyGranted = uploads.some(({ result }) => result.outcome === 'granted');
  if (auditGate && isAnyGranted) await requireWrittenAudit(auditGate, request);
  const rejection = rejectionOfAll(uploads, isAnyGranted);
  if (rejection) throw rejection;
  const denied = uploads.find(({ result }) => result.outcome === 'denied')?.result;
  if (denied?.outcome === 'denied') countDeniedList(dependencies, request, deniedBy(denied.violations));

  const verify = { href: `${publicUrl}${lfsPath(asked.target)}/objects/verify`, request };
  return batchOf(uploads.map(({ object, result }) => describeUpload(object, result, verify)));
}

/** Other requests get their turn after this many audit lines. */
const OBJECTS_PER_TURN = 2;

/**
 * Returns the error that rejects the whole request, so that git-lfs repeats it: a failure of the
 * storage, or a limit before the first upload. A limit after it is an error of its objects, because
 * git-lfs would repeat the whole request, and would never come further.
 */
function rejectionOfAll(uploads: readonly LfsUpload[], isAnyGranted: boolean): ServiceError | undefined {
  const results = uploads.map(({ result }) => result);
  const failed = results.find(({ outcome }) => outcome === 'error');
  if (failed?.outcome === 'error') return failed.error;
  const limited = isAnyGranted ? undefined : results.find(({ outcome }) => outcome === 'limited');
  return limited?.outcome === 'limited' ? limitReached(limited.verdict) : undefined;
}

type UploadResult = LfsUpload['result'];

/** The error of one object; undefined if it is granted or stored. */
function errorOf(result: UploadResult): ResponseObject['error'] {
  switch (result.outcome) {
    case 'granted':
    case 'stored':
      return undefined;
    case 'exists': {
      const message = 'An object of another length is stored under this oid; remove it from the bucket.';
      return { code: 422, message };
    }
    case 'denied':
      // git-lfs would repeat a 403.
      return { code: 422, message: summarizeFaults(result.violations) };
    default: {
      const { code, detail } = rejectionOf(result);
      return { code: PROBLEMS[code].status, message: detail };
    }
  }
}

/** The audit line of one object. A stored object has the outcome `exists` without a reason. */
function auditOf(context: CallerContext, upload: LfsUpload['request'], result: UploadResult): UploadAudit {
  if (result.outcome !== 'stored') {
    const audit = uploadAudit(context, upload, result);
    return result.outcome === 'exists' ? { ...audit, grantId: undefined } : audit;
  }
  const { issuer, subject } = context.caller;
  const { rule, key } = result.grant;
  return {
    operation: 'upload',
    outcome: 'exists',
    reasons: [],
    issuer,
    subject,
    rule: rule.name,
    target: rule.target.name,
    bucket: rule.target.bucket,
    key,
    transfer: upload.transfer,
    contentType: upload.contentType,
    contentLength: upload.contentLength ?? null,
    maxContentLength: undefined,
    expiresAt: null,
  };
}

function decidedOf(result: UploadResult): Decided {
  return result.outcome === 'stored'
    ? { outcome: 'exists', rule: result.rule, reasons: [] }
    : decisionOf(result);
}

function describeUpload(
  { oid, size }: LfsObject,
  result: UploadResult,
  verify: { readonly href: string; readonly request: FastifyRequest },
): ResponseObject {
  const error = errorOf(result);
  if (error) return { oid, size, error };
  if (result.outcome !== 'granted') return { oid, size };
  const { response } = result;
  if (response.transfer !== 'put') throw new TypeError('only a PUT was requested');
  const { url, headers: header, expires, id } = response;
  return {
    oid,
    size,
    authenticated: true,
    actions: {
      upload: { href: url, header: { ...header }, expires_in: expires },
      ...(id !== undefined && { verify: { href: verify.href, header: verifyHeader(id, verify.request) } }),
    },
  };
}

/** With `authenticated`, git-lfs sends no credentials but those of the action. */
function verifyHeader(id: string, { headers: { authorization = '' } }: FastifyRequest) {
  return { [UPLOAD_ID_HEADER]: id, authorization };
}

async function respondToDownloads(
  dependencies: ObjectsBatchDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: LfsRequest,
): Promise<RouteResponse> {
  const { auditGate, logger, observer } = dependencies;
  const context = callerContextOf(request);
  const beforeGrant = () => requireOpenAudit(auditGate);
  const found = await issueLfsDownloads({ ...dependencies, beforeGrant }, context, asked);
  const { decided, downloads, failure } = found;
  const rejection = failure ?? (decided.outcome === 'limited' ? limitReached(decided.verdict) : undefined);
  const status = rejection ? PROBLEMS[rejection.code].status : 200;
  logAudit(logger, request, reply, status, downloadAudit(context, found.request, decided));
  observer.decidedKeys(decidedKeysOf(decided));
  if (rejection) throw rejection;
  if (auditGate && decided.outcome === 'granted') await requireWrittenAudit(auditGate, request);
  const denied = downloads.find(({ result }) => result.outcome === 'denied')?.result;
  if (denied?.outcome === 'denied')
    countDeniedList(dependencies, request, deniedBy(denied.denial.violations));
  return batchOf(downloads.map(({ object, result }) => describeDownload(object, result, decided)));
}

function describeDownload(
  { oid, size }: LfsObject,
  result: LfsDownload['result'],
  decided: LfsDownloads['decided'],
): ResponseObject {
  switch (result.outcome) {
    case 'granted': {
      if (decided.outcome !== 'granted') throw new TypeError('a signed URL has a validity');
      const download = { href: result.url, expires_in: decided.validity.expires };
      return { oid, size, authenticated: true, actions: { download } };
    }
    case 'absent':
      return { oid, size, error: { code: 404, message: 'The object is not stored.' } };
    case 'mismatch':
      return { oid, size, error: { code: 422, message: 'The stored object has another length.' } };
    case 'denied':
      return { oid, size, error: { code: 403, message: summarizeFaults(result.denial.violations) } };
  }
}

function batchOf(objects: readonly ResponseObject[]): RouteResponse {
  const json: z.output<typeof batchResponse> = {
    transfer: 'basic',
    objects: [...objects],
    hash_algo: 'sha256',
  };
  return { status: 200, headers: { 'cache-control': 'no-store' }, json };
}
