import { stringify } from 'yaml';
import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { policyAnswer } from '../uploads/policy-answer.ts';
import { uploadAnswer } from '../uploads/upload-answer.ts';
import { uploadRequestBody } from '../uploads/upload-request-body.ts';
import { PROBLEMS, problemSchema } from './problem-json.ts';

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };

/** What a page that renders the document offers to send; a body made up from the schema would have both key and filename. */
const REQUEST_EXAMPLE = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 48213 };

const EXTRA_HEADERS: Partial<Readonly<Record<ErrorCode, readonly string[]>>> = {
  unauthenticated: ['WWW-Authenticate'],
  rate_limited: ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  unavailable: ['Retry-After'],
};

/** The OpenAPI 3.1 document of the service as YAML, made from the schemas that check requests and shape answers. */
export function renderOpenApi(): string {
  const everywhere: readonly ErrorCode[] = ['unauthenticated', 'internal', 'unavailable'];
  return stringify(
    {
      openapi: '3.1.0',
      info: {
        title: 'oss-presign',
        version: '1',
        summary: 'Hands out permission to upload to Alibaba Cloud OSS.',
        description:
          'A caller asks with its own token whether it may put a file here. The answer is a presigned PUT URL (OSS V4) and the exact headers to send with it.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      security: [{ bearer: [] }],
      paths: {
        '/v1/uploads': {
          post: {
            operationId: 'issueUpload',
            tags: ['Uploads'],
            summary: 'Ask for permission to upload one file',
            requestBody: {
              required: true,
              content: {
                'application/json': {
                  schema: { $ref: '#/components/schemas/UploadRequest' },
                  example: REQUEST_EXAMPLE,
                },
              },
            },
            responses: {
              201: {
                description: 'Granted. PUT the bytes to url with exactly these headers.',
                headers: REQUEST_ID,
                content: { 'application/json': { schema: { $ref: '#/components/schemas/UploadAnswer' } } },
              },
              ...problems(
                'invalid_request',
                'policy_denied',
                'body_too_large',
                'unsupported_media_type',
                'rate_limited',
                ...everywhere,
              ),
            },
          },
        },
        '/v1/policy': {
          get: {
            operationId: 'getPolicy',
            tags: ['Uploads'],
            summary: 'What this caller may upload',
            responses: {
              200: {
                description: 'The rules that apply to the caller.',
                headers: REQUEST_ID,
                content: { 'application/json': { schema: { $ref: '#/components/schemas/PolicyAnswer' } } },
              },
              ...problems(...everywhere),
            },
          },
        },
        '/livez': { get: textRoute('isAlive', 'Is the process alive?') },
        '/readyz': { get: textRoute('isReady', 'Can the service do its work now? A line per check.', true) },
        '/metrics': {
          get: textRoute('getMetrics', 'Metrics for Prometheus; elsewhere where METRICS_PORT says so'),
        },
        '/openapi.yaml': { get: textRoute('getOpenApi', 'This document', false, 'application/yaml') },
        '/docs': { get: textRoute('getDocs', 'A page that shows this document', false, 'text/html') },
        '/docs/{file}': {
          get: {
            ...textRoute('getDocsFile', 'What that page loads; 404 for anything else', false, '*/*'),
            parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
          },
        },
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        headers: {
          RequestId: { description: 'Names this request in the log.', schema: { type: 'string' } },
        },
        schemas: {
          UploadRequest: jsonSchema(uploadRequestBody, 'input'),
          UploadAnswer: jsonSchema(uploadAnswer, 'output'),
          PolicyAnswer: jsonSchema(policyAnswer, 'output'),
          Problem: jsonSchema(problemSchema, 'output'),
        },
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 110 },
  );
}

function problems(...codes: readonly ErrorCode[]): Record<number, unknown> {
  return Object.fromEntries(
    codes.map((code) => [
      PROBLEMS[code].status,
      {
        description: `${PROBLEMS[code].title} (\`${code}\`).`,
        headers: {
          ...REQUEST_ID,
          ...Object.fromEntries(
            (EXTRA_HEADERS[code] ?? []).map((name) => [name, { schema: { type: 'string' } }]),
          ),
        },
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function textRoute(operationId: string, summary: string, canFail = false, mediaType = 'text/plain') {
  const content = { [mediaType]: { schema: { type: 'string' } } };
  return {
    operationId,
    tags: ['Operation'],
    summary,
    security: [],
    responses: {
      200: { description: 'Yes.', headers: REQUEST_ID, content },
      ...(canFail && { 503: { description: 'No.', headers: REQUEST_ID, content } }),
    },
  };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // Bounds that every integer in JSON has, and the grammar of RFC 3339, tell a reader nothing.
    override: ({ jsonSchema: part }) => {
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
      if (part.format === 'date-time') delete part.pattern;
    },
  });
  return rest;
}
