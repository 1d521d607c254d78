import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../../package.json' with { type: 'json' };
import { MISMATCH_CODES, REQUEST_FAULT_CODES, VIOLATION_CODES } from '../../../src/errors.ts';
import { uploadRequestBody } from '../../../src/grants/upload/request.ts';
import { uploadGrant } from '../../../src/grants/upload/response.ts';
import { PROBLEMS, problemSchema } from '../../../src/http/plugins/problem-json.ts';
import { callerPolicy } from '../../../src/http/routes/caller-policy.ts';
import type { JsonContent } from '../../../src/http/routes/route.ts';
import { ROUTES } from '../../../src/http/routes/routes.ts';
import { PHOTO } from '../../support/requests.ts';
import { createTestApp } from '../../support/test-app.ts';

const file = readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8');

it('the document that is served is the one in the repository', async () => {
  const { http } = await createTestApp();
  const response = await http.get('/openapi.yaml').buffer(true);
  expect(response.headers['content-type']).toBe('application/yaml; charset=utf-8');
  expect(response.text ?? response.body.toString()).toBe(file);
});

it('documents every operation of the list', () => {
  const documented = Object.entries(parse(file).paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(documented).toStrictEqual(
    ROUTES.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
  );
});

it('the app registers the operations of the list, and nothing else', async () => {
  const registered: string[] = [];
  const watchRoutes = (message: unknown) => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }) => void registered.push(`${method} ${url}`));
  };
  subscribe('fastify.initialization', watchRoutes);
  onTestFinished(() => void unsubscribe('fastify.initialization', watchRoutes));
  await createTestApp({ renderMetrics: async () => ({ contentType: 'text/plain', text: '' }) });
  const withHead = ROUTES.flatMap(({ method, path }) =>
    method === 'GET' ? [`HEAD ${path}`, `GET ${path}`] : [`${method} ${path}`],
  );
  expect(registered.toSorted()).toStrictEqual(withHead.toSorted());
});

it('every response matches the schema of the document', async () => {
  const { post, http, issuer } = await createTestApp();
  const authorization = `Bearer ${await issuer.sign()}`;
  uploadGrant.parse((await post(PHOTO)).body);
  callerPolicy.parse((await http.get('/v1/policy').set('authorization', authorization)).body);
  for (const rejected of [await post({}), await post({ ...PHOTO, key: 'x' }), await http.get('/nothing')]) {
    problemSchema.strict().parse(rejected.body);
  }
});

it('describes each field of the request, and allows no other', () => {
  const { UploadRequest } = parse(file).components.schemas;
  expect(UploadRequest.additionalProperties).toBe(false);
  expect(UploadRequest.required).toStrictEqual(['contentType']);
  expect(Object.keys(UploadRequest.properties)).toStrictEqual([
    'key',
    'filename',
    'contentType',
    'contentLength',
    'maxContentLength',
    'partSize',
    'contentMd5',
    'metadata',
    'cacheControl',
    'contentDisposition',
    'contentEncoding',
    'expiresIn',
    'overwrite',
    'target',
    'transfer',
  ]);
});

it('its example of a request is valid', () => {
  const { example } = parse(file).paths['/v1/uploads'].post.requestBody.content['application/json'];
  expect(uploadRequestBody.safeParse(example).success).toBe(true);
});

it('has no bound that every integer has, and no pattern next to a format', () => {
  expect(file).not.toContain(String(Number.MAX_SAFE_INTEGER));
  const { PutGrant, UploadRequest } = parse(file).components.schemas;
  expect(PutGrant.properties.expiresAt).toStrictEqual({
    type: 'string',
    format: 'date-time',
    description: 'When the URL or form expires.',
  });
  expect(UploadRequest.properties.contentLength).toStrictEqual({
    description:
      'The exact length in bytes. Required unless the rule has `maxSize: unlimited`, or `maxContentLength` is sent. With `"transfer": "multipart"` always required, and at least 1.',
    type: 'integer',
    minimum: 0,
  });
});

it('has no text that Markdown would read as an element', () => {
  const descriptions = [...file.matchAll(/(?:description|summary): (.*)/g)].map(([, text = '']) => text);
  expect(descriptions.filter((text) => /<\w/.test(text.replace(/`[^`]*`/g, '')))).toStrictEqual([]);
});

type Media = { readonly example?: unknown; readonly examples?: Record<string, { readonly value: unknown }> };
type Response = { readonly $ref?: string; readonly content?: Record<string, Media> };
const document = parse(file);
const responses: readonly (readonly [string, string, Response])[] = Object.entries(document.paths).flatMap(
  ([path, methods]) =>
    Object.values(methods as Record<string, { readonly responses: Record<string, Response> }>).flatMap(
      (operation) =>
        Object.entries(operation.responses).map(([status, response]) => [
          `${path} ${status}`,
          status,
          response.$ref ? document.components.responses[response.$ref.split('/').at(-1) ?? ''] : response,
        ]),
    ) as [string, string, Response][],
);

it.each(responses)('has an example for the response %s that matches its schema', (name, status, response) => {
  if (status === '204') {
    expect(response).not.toHaveProperty('content');
    return;
  }
  const [[type, media] = ['', {} as Media]] = Object.entries(response.content ?? {});
  const examples = media.examples ? Object.values(media.examples).map(({ value }) => value) : [media.example];
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    if (type === 'application/problem+json') {
      expect(problemSchema.strict().parse(example).status).toBe(Number(status));
    } else if (type === 'application/json') {
      const [path] = name.split(' ');
      const route = ROUTES.find((one) => one.path === path);
      const content = route?.openapi.responses[Number(status)]?.content as JsonContent;
      content.schema.parse(example);
    } else {
      expect(example).toEqual(expect.stringMatching(/./));
    }
  }
});

it('has an example of every problem, and of every fault of a request', () => {
  const examples = responses.flatMap(([, , { content }]) =>
    Object.values(content?.['application/problem+json']?.examples ?? {}).map(({ value }) =>
      problemSchema.parse(value),
    ),
  );
  const codes = new Set(Object.keys(PROBLEMS));
  expect(new Set(examples.map(({ code }) => code))).toStrictEqual(codes);
  const faults = new Set(examples.flatMap(({ errors = [] }) => errors.map(({ code }) => code)));
  for (const code of REQUEST_FAULT_CODES) expect(faults).toContain(code);
});

it('lists every code of a fault, so that clients can distinguish them', () => {
  const { code } = document.components.schemas.Problem.properties.errors.items.properties;
  expect(code.enum).toStrictEqual([...REQUEST_FAULT_CODES, ...VIOLATION_CODES, ...MISMATCH_CODES]);
});

it('accepts either key or filename, and requires no field that has a default', () => {
  const { UploadRequest } = document.components.schemas;
  expect(UploadRequest.oneOf).toStrictEqual([{ required: ['key'] }, { required: ['filename'] }]);
  expect(JSON.stringify(UploadRequest)).not.toContain('"default"');
});

it('describes every field, response and operation', () => {
  const undescribed = Object.entries(document.components.schemas).flatMap(([name, schema]) =>
    Object.entries((schema as { properties?: Record<string, { description?: string }> }).properties ?? {})
      .filter(([, { description = '' }]) => description.length < 10)
      .map(([field]) => `${name}.${field}`),
  );
  expect(undescribed).toStrictEqual([]);
  expect(file).not.toMatch(/description: ["']?(?:Yes|No)\./);
});

it('distinguishes the grants of each transfer, in schemas of their own', () => {
  const { UploadGrant, PutGrant, FormGrant, MultipartGrant } = document.components.schemas;
  const [put, form] = ['#/components/schemas/PutGrant', '#/components/schemas/FormGrant'];
  const multipart = '#/components/schemas/MultipartGrant';
  expect(UploadGrant).toStrictEqual({
    oneOf: [{ $ref: put }, { $ref: form }, { $ref: multipart }],
    discriminator: { propertyName: 'transfer', mapping: { put, form, multipart } },
  });
  expect(MultipartGrant.required).toStrictEqual(Object.keys(MultipartGrant.properties));
  for (const field of ['url', 'method', 'headers', 'fields'])
    expect(MultipartGrant.properties).not.toHaveProperty(field);
  expect(PutGrant.properties).not.toHaveProperty('fields');
  expect(FormGrant.properties).not.toHaveProperty('headers');
  for (const { required, properties } of [PutGrant, FormGrant])
    expect(required).toStrictEqual(
      Object.keys(properties).filter((name) => name !== 'id' && name !== 'idExpiresAt'),
    );
});

it('has the version of the package', () => {
  expect(document.info.version).toBe(packageJson.version);
});

it('the body of a problem states how long to wait, as Retry-After does', async () => {
  const { post } = await createTestApp({
    credentials: {
      get: async () => {
        throw new Error('no credentials');
      },
    },
  });
  const { status, headers, body } = await post(PHOTO);
  expect([status, headers['retry-after'], body.retryAfter]).toStrictEqual([503, '5', 5]);
  expect((await post({})).body).not.toHaveProperty('retryAfter');
});
