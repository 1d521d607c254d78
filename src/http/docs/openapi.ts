import { createRequire } from 'node:module';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { uploadRequestBody } from '../../grants/upload/request.ts';
import { uploadAnswer } from '../../grants/upload/response.ts';
import { PROBLEMS, problemSchema, toProblem } from '../plugins/problem-json.ts';
import { policyAnswer } from '../routes/policy-response.ts';
import { GRANT_EXAMPLE, POLICY_EXAMPLE, REQUEST_EXAMPLE, rejectionExamples } from './openapi-examples.ts';

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };

const RETRY_AFTER = ['Retry-After'];
const EXTRA_HEADERS: Partial<Readonly<Record<ErrorCode, readonly string[]>>> = {
  unauthenticated: ['WWW-Authenticate'],
  method_not_allowed: ['Allow'],
  rate_limited: [...RETRY_AFTER, 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  unavailable: RETRY_AFTER,
};

const HEADERS: Readonly<Record<string, { readonly description: string; readonly schema: object }>> = {
  'X-Request-Id': { description: 'Identifies this request in the log.', schema: { type: 'string' } },
  'WWW-Authenticate': {
    description: 'The scheme Bearer, with the cause (RFC 6750).',
    schema: { type: 'string' },
  },
  Allow: { description: 'The methods of this path.', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
  'RateLimit-Limit': { description: 'The limit that was reached.', schema: { type: 'integer' } },
  'RateLimit-Remaining': { description: 'How much of it is left.', schema: { type: 'integer' } },
  'RateLimit-Reset': { description: 'Seconds until the limit is reset.', schema: { type: 'integer' } },
};

const WHEN: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'The body is not JSON in UTF-8, or not of the form that the schema describes.',
  unauthenticated: 'There is no token, or it is not valid. `WWW-Authenticate` has the cause.',
  policy_denied: 'No rule of the policy allows this upload. `errors` lists what to change.',
  not_found: 'There is nothing at this path.',
  method_not_allowed: 'The path has no route for the method that was used. `Allow` lists its methods.',
  body_too_large: 'The body has more than 64 KiB.',
  unsupported_media_type: 'The body is compressed, or its type is not `application/json` in UTF-8.',
  rate_limited: 'A limit is reached. Wait for `retryAfter` seconds.',
  internal: 'The service failed. The log has the cause under the request id.',
  unavailable: 'The service cannot do this now. Wait for `retryAfter` seconds and try again.',
};

/** The OpenAPI 3.1 document of the service as YAML, made from the schemas that check requests and shape responses. */
export function renderOpenApi(): string {
  const everywhere: readonly ErrorCode[] = ['method_not_allowed', 'internal'];
  const withToken: readonly ErrorCode[] = ['unauthenticated', 'rate_limited', 'unavailable', ...everywhere];
  const { version } = createRequire(import.meta.url)('../../../package.json') as { readonly version: string };
  return stringify(
    {
      openapi: '3.1.0',
      info: {
        title: 'oss-presign',
        version,
        summary: 'Issues presigned upload URLs for Alibaba Cloud OSS.',
        description:
          'A client sends its own token and describes one file. If the policy allows the upload, the response has a presigned PUT URL (OSS V4 signature) and the exact headers to send with it.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The service that serves this document.' }],
      security: [{ bearer: [] }],
      tags: [
        { name: 'Uploads', description: 'What clients call, with a token.' },
        { name: 'Operation', description: 'Probes, metrics and documentation, without a token.' },
      ],
      paths: {
        '/v1/uploads': {
          post: {
            operationId: 'issueUpload',
            tags: ['Uploads'],
            summary: 'Request permission to upload one file',
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
                description: 'Granted. PUT the bytes to `url` with exactly these headers.',
                headers: REQUEST_ID,
                content: json('UploadGrant', GRANT_EXAMPLE),
              },
              ...problems(
                'invalid_request',
                'policy_denied',
                'body_too_large',
                'unsupported_media_type',
                ...withToken,
              ),
            },
          },
        },
        '/v1/policy': {
          get: {
            operationId: 'getPolicy',
            tags: ['Uploads'],
            summary: 'Show what this caller may upload',
            responses: {
              200: {
                description: 'The rules that apply to the caller.',
                headers: REQUEST_ID,
                content: json('CallerPolicy', POLICY_EXAMPLE),
              },
              ...problems(...withToken),
            },
          },
        },
        '/livez': {
          get: {
            ...textRoute('isAlive', 'Check whether the process is running', {
              description: 'The process is running.',
              example: 'ok\n',
            }),
          },
        },
        '/readyz': {
          get: textRoute(
            'isReady',
            'Check whether the service can issue URLs',
            { description: 'Ready to issue URLs.', example: 'ok lifecycle\nok credentials\n' },
            {
              503: {
                description: 'Not ready; the body lists the failed checks.',
                headers: { ...REQUEST_ID, ...headerRefs(RETRY_AFTER) },
                content: text('ok lifecycle\nFAILED credentials\n'),
              },
            },
          ),
        },
        '/metrics': {
          get: textRoute(
            'getMetrics',
            'Get metrics for Prometheus',
            {
              description: 'The metrics in the text format of Prometheus.',
              example: 'oss_presign_grants_total{rule="own-files"} 42\n',
            },
            problems('not_found'),
          ),
        },
        '/openapi.yaml': {
          get: textRoute('getOpenApi', 'Get this document', {
            description: 'This document.',
            example: 'openapi: 3.1.0\n',
            mediaType: 'application/yaml',
          }),
        },
        '/docs': {
          get: textRoute('getDocs', 'Show this document as a page', {
            description: 'A page that shows this document and can try requests.',
            example: '<!doctype html>',
            mediaType: 'text/html',
          }),
        },
        '/docs/{file}': {
          get: {
            ...textRoute(
              'getDocsFile',
              'Get a file that the page loads',
              { description: 'The file.', example: 'body {}', mediaType: '*/*' },
              problems('not_found'),
            ),
            parameters: [
              {
                name: 'file',
                in: 'path',
                required: true,
                description: 'The name of the file.',
                schema: { type: 'string' },
                example: 'page.css',
              },
            ],
          },
        },
      },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of an issuer that the policy names. `npm run dev` prints one.',
          },
        },
        headers: HEADERS,
        responses: problemResponses(),
        schemas: {
          UploadRequest: jsonSchema(uploadRequestBody, 'input'),
          UploadGrant: jsonSchema(uploadAnswer, 'output'),
          CallerPolicy: jsonSchema(policyAnswer, 'output'),
          Problem: jsonSchema(problemSchema, 'output'),
        },
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 110 },
  );

  function textRoute(operationId: string, summary: string, success: Success, others: object = {}) {
    const { description, example, mediaType = 'text/plain' } = success;
    return {
      operationId,
      tags: ['Operation'],
      summary,
      security: [],
      responses: {
        200: { description, headers: REQUEST_ID, content: text(example, mediaType) },
        ...others,
        ...problems(...everywhere),
      },
    };
  }
}

type Success = { readonly description: string; readonly example: string; readonly mediaType?: string };

function json(schema: string, example: unknown): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example } };
}

function text(example: string, mediaType = 'text/plain'): object {
  return { [mediaType]: { schema: { type: 'string' }, example } };
}

function headerRefs(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** References to the responses of these codes, by status. */
function problems(...codes: readonly ErrorCode[]): Record<number, unknown> {
  return Object.fromEntries(
    codes.map((code) => [PROBLEMS[code].status, { $ref: `#/components/responses/${responseName(code)}` }]),
  );
}

/** `invalid_request` → `InvalidRequest`. */
function responseName(code: ErrorCode): string {
  return code
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function problemResponses(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(rejectionExamples()).map(([code, examples]) => [
      responseName(code as ErrorCode),
      {
        description: WHEN[code as ErrorCode],
        headers: { ...REQUEST_ID, ...headerRefs(EXTRA_HEADERS[code as ErrorCode] ?? []) },
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              Object.entries(examples).map(([name, error]) => [
                name,
                { value: toProblem(error, '019ab0c4-7f3a-7000-8000-000000000001') },
              ]),
            ),
          },
        },
      },
    ]),
  );
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => {
      // Bounds that every integer in JSON has, and the grammar of RFC 3339, do not help a reader.
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
      if (part.format === 'date-time') delete part.pattern;
      // Of the TypeScript type, not of the API.
      delete part.readOnly;
      // Generators of clients take a field with a default for one that is always there, and so require it.
      if (io === 'input') delete part.default;
    },
  });
  return rest;
}
