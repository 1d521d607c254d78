import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type ErrorCode,
  MAX_FAULTS,
  MAX_MISSING_RANGES,
  MISMATCH_CODES,
  REQUEST_FAULT_CODES,
  ServiceError,
  VIOLATION_CODES,
} from '../../errors.ts';
import { type CompletedUpload, completedUpload, partRange } from '../../grants/completion/response.ts';
import { MAX_BODY_BYTES } from './json-body.ts';

/** The status and title of every error code. A code without a line here does not compile. */
export const PROBLEMS: Readonly<Record<ErrorCode, { readonly status: number; readonly title: string }>> = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'The caller is not authenticated' },
  policy_denied: { status: 403, title: 'The policy does not allow this request' },
  upload_id_invalid: { status: 403, title: 'The upload id cannot be used' },
  not_found: { status: 404, title: 'Not found' },
  upload_absent: { status: 404, title: 'The object is not stored' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  upload_mismatch: { status: 409, title: 'The object differs from its grant' },
  upload_incomplete: { status: 409, title: 'Parts of the upload are missing' },
  object_exists: { status: 409, title: 'There is another object under this key' },
  upload_id_expired: { status: 410, title: 'The upload id has expired' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  rate_limited: { status: 429, title: 'A limit is reached' },
  internal: { status: 500, title: 'Something went wrong in the service' },
  storage_error: { status: 502, title: 'The object storage rejects the service' },
  notification_failed: { status: 502, title: 'The upload is stored, but its backend was not notified' },
  unavailable: { status: 503, title: 'The service is not available at the moment' },
};

/** RFC 9457; the source of its part of `openapi.yaml`. */
export const problemSchema = z.object({
  type: z.string().meta({ description: 'A URI that names the kind of problem.' }),
  title: z.string().meta({ description: 'The kind of problem in words.' }),
  status: z.int().meta({ description: 'The HTTP status.' }),
  code: z
    .enum(Object.keys(PROBLEMS) as [ErrorCode, ...ErrorCode[]])
    .meta({ description: 'The kind of problem. Stable, for programs.' }),
  detail: z.string().meta({ description: 'One plain sentence that states what to change.' }),
  requestId: z
    .string()
    .meta({ description: 'The same as `X-Request-Id`. Quote it when you report a problem.' }),
  errors: z
    .array(
      z.object({
        pointer: z.string().meta({
          description: 'Where in the body (RFC 6901). Empty when no single field is the cause.',
        }),
        code: z
          .enum([...REQUEST_FAULT_CODES, ...VIOLATION_CODES, ...MISMATCH_CODES])
          .meta({ description: 'The kind of fault. Stable, for programs.' }),
        detail: z.string().meta({ description: 'One plain sentence that states what to change.' }),
      }),
    )
    .max(MAX_FAULTS)
    .optional()
    .meta({
      description: `Each fault of the request, at most ${MAX_FAULTS}. For \`invalid_request\`, \`policy_denied\` and \`upload_mismatch\`.`,
    }),
  missing: z
    .array(partRange)
    .max(MAX_MISSING_RANGES)
    .optional()
    .meta({
      description: `The first parts that are missing, at most ${MAX_MISSING_RANGES} ranges. For \`upload_incomplete\`.`,
    }),
  upload: completedUpload.optional().meta({
    description: 'The stored upload, with its receipt. For `notification_failed`.',
  }),
  retryAfter: z.int().min(0).optional().meta({
    description: 'Seconds to wait before the next try. For `rate_limited` and `unavailable`.',
  }),
});

export type Problem = z.output<typeof problemSchema>;

/** The problem document (RFC 9457) of an error. Nothing of the error's cause is in it. */
export function toProblem(
  error: Pick<ServiceError, 'code' | 'detail' | 'errors' | 'headers'> &
    Partial<Pick<ServiceError, 'missing' | 'upload'>>,
  requestId: string,
): Problem {
  const { status, title } = PROBLEMS[error.code];
  const retryAfter = error.headers['Retry-After'];
  return {
    type: `urn:oss-presign:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.detail,
    requestId,
    ...(error.errors && { errors: error.errors.slice(0, MAX_FAULTS) }),
    ...(error.missing && { missing: error.missing.slice(0, MAX_MISSING_RANGES) }),
    ...(error.upload && { upload: error.upload as CompletedUpload }),
    ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }),
  };
}

/**
 * Sends an error as `application/problem+json`, or in the protocol of the route, with the headers
 * that belong to it.
 */
export function sendProblem(error: ServiceError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const protocol = request.routeOptions.config?.protocol;
  const problem = toProblem(error, request.id);
  if (protocol && problem.status === 401) reply.headers(protocol.challenge);
  return reply
    .code(problem.status)
    .headers(error.headers)
    .headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
    .type(`${protocol?.mediaType ?? 'application/problem+json'}; charset=utf-8`)
    .serializer(JSON.stringify)
    .send(protocol ? protocol.problems.render(problem) : problem);
}

const FRAMEWORK_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as Content-Type: application/json.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_request', 'The body is empty; send a JSON object.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_request', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'invalid_request',
    'The length of the body differs from Content-Length.',
  ],
  FST_ERR_BAD_URL: ['invalid_request', 'The address is not a valid URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is nothing at this address.'],
};

/**
 * Turns anything that was thrown into a ServiceError. An unexpected error becomes `internal`, with
 * a fixed text.
 * @param maxBodyBytes the limit of the route, which the error for a larger body names.
 */
export function toServiceError(thrown: unknown, maxBodyBytes = MAX_BODY_BYTES): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  const { code, statusCode } = thrown as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const detail = `The body may have at most ${maxBodyBytes} bytes.`;
    return new ServiceError('body_too_large', detail, { cause: thrown });
  }
  const known = code === undefined ? undefined : FRAMEWORK_ERRORS[code];
  if (known) return new ServiceError(known[0], known[1], { cause: thrown });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ServiceError('invalid_request', 'The request is not valid.', { cause: thrown });
  }
  return new ServiceError('internal', 'Internal error. Quote the request id when you report it.', {
    cause: thrown,
  });
}
