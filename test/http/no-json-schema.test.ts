import { createRequire } from 'node:module';
import fastify from 'fastify';
import { expect, it } from 'vitest';
import { NO_JSON_SCHEMA } from '../../src/http/no-json-schema.ts';
import { createTestApp } from '../support/test-app.ts';

it('loads neither Ajv nor its packages', async () => {
  const { cache } = createRequire(import.meta.url);
  const ofAjv = () =>
    Object.keys(cache).filter((file) => /node_modules\/(?:ajv|@fastify\/ajv-compiler)\//.test(file));
  // Another test of this process may have loaded it. Fastify requires it again when it needs it.
  for (const file of ofAjv()) delete cache[file];
  await createTestApp();
  expect(Object.keys(cache).some((file) => file.endsWith('node_modules/fastify/fastify.js'))).toBe(true);
  expect(ofAjv()).toStrictEqual([]);
});

it('rejects a route with a JSON Schema, which would not be checked', async () => {
  const app = fastify({ schemaController: NO_JSON_SCHEMA });
  app.post('/', { schema: { body: { type: 'object' } } }, async () => 'never');
  await expect(app.ready()).rejects.toThrow('a route must not have a JSON Schema');
});
