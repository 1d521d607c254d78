import { createRequire } from 'node:module';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { MAX_CALLBACK_BYTES } from '../../grants/callback/request.ts';
import { MAX_BODY_BYTES, MAX_LIST_BODY_BYTES } from '../plugins/json-body.ts';
import { PROBLEMS, problemSchema, toProblem } from '../plugins/problem-json.ts';
import type { ClientProtocol } from '../routes/client-protocol.ts';
import type { JsonContent, OperationDocument, Parameter, Route, TextContent } from '../routes/route.ts';
import { rejectionExamples } from './openapi-examples.ts';

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
  invalid_request: 'The body is not JSON in UTF-8, or does not match the schema.',
  unauthenticated:
    'There is no token, or it is not valid; `WWW-Authenticate` has the cause. Or OSS has not signed its call.',
  policy_denied: 'No rule of the policy allows this request. `errors` lists what to change.',
  upload_id_invalid: 'The id is forged, belongs to another caller, or its rule no longer covers it.',
  not_found: 'There is nothing at this path.',
  upload_absent: 'The object is not in the bucket.',
  method_not_allowed: 'The path has no route for the method that was used. `Allow` lists its methods.',
  upload_mismatch: 'The object differs from what was granted. `errors` lists the differences.',
  upload_incomplete: 'Parts of the upload are missing. `missing` lists them.',
  object_exists: 'There is another object under this key, which the upload may not replace.',
  upload_id_expired: 'The id has expired. Request a new upload.',
  body_too_large: `The body has more than ${MAX_BODY_BYTES / 1024} KiB, ${MAX_LIST_BODY_BYTES / 1024 ** 2} MiB for a list of keys or uploads, or ${MAX_CALLBACK_BYTES / 1024} KiB for a callback.`,
  unsupported_media_type: 'The body is compressed, or its type is not `application/json` in UTF-8.',
  rate_limited: 'A limit is reached. Wait for `retryAfter` seconds.',
  internal: 'The service failed. The log has the cause under the request id.',
  storage_error: 'The object storage rejects the service itself. The log has the cause under the request id.',
  notification_failed:
    'The object is stored, but the backend of the rule was not notified. `upload` is the whole response of `complete`; OSS does not get it. Send the request again; do not upload the file again.',
  unavailable: 'The service cannot do this now. Wait for `retryAfter` seconds and try again.',
};

/** Every operation has these problems. */
const COMMON_PROBLEMS: readonly ErrorCode[] = ['method_not_allowed', 'internal'];

/** Every operation that needs a token has these as well. */
const TOKEN_PROBLEMS: readonly ErrorCode[] = ['unauthenticated', 'rate_limited', 'unavailable'];

/**
 * The OpenAPI 3.1 document of these operations as YAML, made from the schemas that check requests
 * and shape responses.
 */
export function renderOpenApi(routes: readonly Route<never>[]): string {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { readonly version: string };
  return stringify(
    {
      openapi: '3.1.0',
      info: {
        title: 'oss-presign',
        version,
        summary:
          'Issues presigned URLs for uploads to and downloads from Alibaba Cloud OSS, and confirms uploads.',
        description:
          'A client sends its own token and describes one file. If the policy allows the upload, the response has a presigned PUT URL and the exact headers to send with it, or a form and the exact fields (OSS V4 signature). Then the client confirms the upload with the `id` of the response, and gets a signed receipt for its backend.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The service that serves this document.' }],
      security: [{ bearer: [] }],
      tags: [
        { name: 'Uploads', description: 'For clients, with a token.' },
        { name: 'Downloads', description: 'For clients, with a token.' },
        { name: 'Callbacks', description: 'For OSS, which signs its calls.' },
        { name: 'Operation', description: 'Probes, metrics and documentation, without a token.' },
      ],
      paths: pathsOf(routes),
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of an issuer that the policy names. `npm run dev` prints one.',
          },
          ...passwordScheme(routes),
        },
        headers: HEADERS,
        responses: problemResponses(routes),
        schemas: schemasOf(routes),
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 110 },
  );
}

/** How clients that can only send a user and a password send the token. */
function passwordScheme(routes: readonly Route<never>[]): object {
  const users = new Set(routes.flatMap(({ protocol }) => protocol?.basicUser ?? []));
  const description = `The user ${[...users].join(' or ')}, with the access token as password.`;
  return users.size === 0 ? {} : { password: { type: 'http', scheme: 'basic', description } };
}

/** The operations by path and method. `/docs/:file` becomes `/docs/{file}`. */
function pathsOf(routes: readonly Route<never>[]): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return paths;
}

function operationOf({ isPublic, openapi, protocol }: Route<never>): unknown {
  const {
    operationId,
    tag,
    summary,
    requestBody,
    responses,
    pathParameters = [],
    requestHeaders = [],
  } = openapi;
  const parameters = [
    ...pathParameters.map((one) => parameterOf(one, 'path')),
    ...requestHeaders.map((one) => parameterOf(one, 'header')),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(isPublic && { security: [] }),
    ...(protocol && { security: [{ bearer: [] }, { password: [] }] }),
    ...(requestBody && {
      requestBody: { required: true, content: contentOf(requestBody, protocol?.mediaType) },
    }),
    responses: {
      ...mapValues(responses, ({ description, headers = [], content }) => ({
        description,
        headers: { ...REQUEST_ID, ...headerRefs(headers) },
        ...(content && { content: contentOf(content, protocol?.mediaType) }),
      })),
      ...problemRefs(problemsOf(openapi, isPublic), protocol),
    },
    ...(parameters.length > 0 && { parameters }),
  };
}

function parameterOf({ name, description, example }: Parameter, place: 'path' | 'header'): unknown {
  const schema = { type: 'string' };
  const common = { name, in: place, required: place === 'path', description, schema };
  return example === undefined ? common : { ...common, example };
}

function problemsOf({ problems = [] }: OperationDocument, isPublic: boolean): readonly ErrorCode[] {
  return [...problems, ...(isPublic ? [] : TOKEN_PROBLEMS), ...COMMON_PROBLEMS];
}

function contentOf(content: JsonContent | TextContent, jsonType = 'application/json'): unknown {
  if ('mediaType' in content)
    return { [content.mediaType]: { schema: { type: 'string' }, example: content.example } };
  const schema = { $ref: `#/components/schemas/${content.name}` };
  return {
    [jsonType]: {
      schema,
      ...('examples' in content
        ? { examples: mapValues(content.examples, (value) => ({ value })) }
        : { example: content.example }),
    },
  };
}

/**
 * The schemas of all requests, responses and problems by name, and those that they refer to. A
 * schema with an `id` is one of the latter.
 */
function schemasOf(routes: readonly Route<never>[]): Record<string, unknown> {
  const schemas: Record<string, unknown> = {};
  for (const { openapi, protocol } of routes) {
    if (protocol) schemas[protocol.problems.name] = jsonSchema(protocol.problems.schema, 'output');
    const { requestBody, responses } = openapi;
    if (requestBody) {
      const { $defs = {}, ...schema } = jsonSchema(requestBody.schema, 'input');
      Object.assign(schemas, { [requestBody.name]: schema, ...$defs });
    }
    for (const { content } of Object.values(responses)) {
      if (!content || !('schema' in content)) continue;
      const { $defs = {}, ...schema } = jsonSchema(content.schema, 'output');
      Object.assign(schemas, { [content.name]: schema, ...$defs });
    }
  }
  const { $defs: _defined, ...problem } = jsonSchema(problemSchema, 'output');
  schemas.Problem = problem;
  return JSON.parse(JSON.stringify(schemas).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

function headerRefs(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/**
 * The responses of these codes, by status: a reference if only one code has the status, and the
 * client does not have its own protocol.
 */
function problemRefs(codes: readonly ErrorCode[], protocol?: ClientProtocol): Record<number, unknown> {
  return Object.fromEntries(
    codesByStatus(codes).map(([status, [code, ...others]]) => [
      status,
      others.length === 0 && !protocol
        ? { $ref: `#/components/responses/${responseName(code)}` }
        : problemResponse([code, ...others], protocol),
    ]),
  );
}

/** One code or more. */
type Codes = [ErrorCode, ...ErrorCode[]];

function codesByStatus(codes: readonly ErrorCode[]): readonly (readonly [number, Codes])[] {
  // A group has at least one member.
  return [...Map.groupBy(codes, (code) => PROBLEMS[code].status)] as [number, Codes][];
}

/** `invalid_request` → `InvalidRequest`. */
function responseName(code: ErrorCode): string {
  return code
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** The problems that at least one operation refers to. */
function problemResponses(routes: readonly Route<never>[]): Record<string, unknown> {
  const used = new Set(
    routes
      .filter(({ protocol }) => !protocol)
      .flatMap(({ openapi, isPublic }) =>
        codesByStatus(problemsOf(openapi, isPublic)).flatMap(([, codes]) =>
          codes.length === 1 ? codes : [],
        ),
      ),
  );
  const codes = (Object.keys(PROBLEMS) as ErrorCode[]).filter((code) => used.has(code));
  return Object.fromEntries(codes.map((code) => [responseName(code), problemResponse([code])]));
}

/** The response of codes with the same status. */
function problemResponse(codes: Codes, protocol?: ClientProtocol): unknown {
  const [code, ...others] = codes;
  const examplesOf = rejectionExamples();
  return {
    description: others.length === 0 ? WHEN[code] : codes.map((one) => `\`${one}\`: ${WHEN[one]}`).join(' '),
    headers: { ...REQUEST_ID, ...headerRefs(codes.flatMap((one) => EXTRA_HEADERS[one] ?? [])) },
    content: {
      [protocol?.mediaType ?? 'application/problem+json']: {
        schema: { $ref: `#/components/schemas/${protocol?.problems.name ?? 'Problem'}` },
        examples: Object.fromEntries(
          codes
            .flatMap((one) => Object.entries(examplesOf[one]))
            .map(([name, error]) => {
              const problem = toProblem(error, '019ab0c4-7f3a-7000-8000-000000000001');
              return [name, { value: protocol?.problems.render(problem) ?? problem }];
            }),
        ),
      },
    },
  };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: part }) => {
      // The bounds of every JSON integer and the grammar of RFC 3339 do not help a reader.
      if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
      if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
      if (part.format === 'date-time') delete part.pattern;
      // A property of the TypeScript type, not of the API.
      delete part.readOnly;
      // Client generators treat a field with a default as always present, and so require it.
      if (io === 'input') delete part.default;
    },
  });
  return rest;
}
