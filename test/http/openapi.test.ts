import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { problemSchema } from '../../src/http/problem-json.ts';
import { policyAnswer } from '../../src/uploads/policy-answer.ts';
import { uploadAnswer } from '../../src/uploads/upload-answer.ts';
import { uploadRequestBody } from '../../src/uploads/upload-request-body.ts';
import { createTestApp } from '../support/test-app.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };
const file = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8');

it('the document that is served is the one in the repository', async () => {
  const { http } = await createTestApp();
  const answer = await http.get('/openapi.yaml').buffer(true);
  expect(answer.headers['content-type']).toBe('application/yaml; charset=utf-8');
  expect(answer.text ?? answer.body.toString()).toBe(file);
});

it('documents every route, and no other', async () => {
  const { app } = await createTestApp({
    renderMetrics: async () => ({ contentType: 'text/plain', text: '' }),
  });
  const documented = Object.entries(parse(file).paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of documented) {
    const [method = '', url = ''] = route.split(' ');
    expect(app.hasRoute({ method: method as 'GET', url: url.replace(/{(\w+)}/g, ':$1') }), route).toBe(true);
  }
  const paths = wholePaths(app.printRoutes({ commonPrefix: false }));
  expect(new Set(paths)).toStrictEqual(new Set(Object.keys(parse(file).paths)));
});

/** The paths of the tree that Fastify prints, where four columns are a level, written as OpenAPI writes them. */
function wholePaths(tree: string): string[] {
  const above: string[] = [];
  return [...tree.matchAll(/^(.*?)(\/\S+) \(/gm)].map(([, indent = '', path = '']) => {
    const level = indent.length / 4 - 1;
    above.splice(level, Infinity, path.replace(/:(\w+)/g, '{$1}'));
    return above.join('');
  });
}

it('every answer is of the form that the document says', async () => {
  const { post, http, issuer } = await createTestApp();
  const authorization = `Bearer ${await issuer.sign()}`;
  uploadAnswer.parse((await post(PHOTO)).body);
  policyAnswer.parse((await http.get('/v1/policy').set('authorization', authorization)).body);
  for (const refused of [await post({}), await post({ ...PHOTO, key: 'x' }), await http.get('/nothing')]) {
    problemSchema.strict().parse(refused.body);
  }
});

it('tells a client what the request takes, field by field', () => {
  const { UploadRequest } = parse(file).components.schemas;
  expect(UploadRequest.additionalProperties).toBe(false);
  expect(UploadRequest.required).toStrictEqual(['contentType']);
  expect(Object.keys(UploadRequest.properties)).toStrictEqual([
    'key',
    'filename',
    'contentType',
    'contentLength',
    'contentMd5',
    'metadata',
    'cacheControl',
    'contentDisposition',
    'contentEncoding',
    'expiresIn',
    'overwrite',
    'target',
  ]);
});

it('its example of a request is one that the service takes', () => {
  const { example } = parse(file).paths['/v1/uploads'].post.requestBody.content['application/json'];
  expect(uploadRequestBody.safeParse(example).success).toBe(true);
});

it('says no bound that every integer has, and no grammar where the format says it', () => {
  expect(file).not.toContain(String(Number.MAX_SAFE_INTEGER));
  const { UploadAnswer, UploadRequest } = parse(file).components.schemas;
  expect(UploadAnswer.properties.expiresAt).toStrictEqual({ type: 'string', format: 'date-time' });
  expect(UploadRequest.properties.contentLength).toStrictEqual({
    description: 'The exact length in bytes. Required unless the rule says `maxSize: unlimited`.',
    type: 'integer',
    minimum: 0,
  });
});

it('has no text that Markdown would take for an element', () => {
  const descriptions = [...file.matchAll(/(?:description|summary): (.*)/g)].map(([, text = '']) => text);
  expect(descriptions.filter((text) => /<\w/.test(text.replace(/`[^`]*`/g, '')))).toStrictEqual([]);
});
