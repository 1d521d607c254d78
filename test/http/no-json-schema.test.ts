import { createRequire } from 'node:module';
import fastify from 'fastify';
import { expect, it } from 'vitest';
import { NO_JSON_SCHEMA } from '../../src/http/no-json-schema.ts';
import { createTestApp } from '../support/test-app.ts';

it('keeps Ajv and all that belongs to it from being loaded', async () => {
  await createTestApp();
  const loaded = Object.keys(createRequire(import.meta.url).cache).map((file) =>
    file.split('node_modules/').at(-1),
  );
  expect(loaded).toContain('fastify/fastify.js');
  expect(loaded.filter((file) => file?.startsWith('ajv/'))).toStrictEqual([]);
});

it('refuses a route with a JSON Schema, which nobody would check', async () => {
  const app = fastify({ schemaController: NO_JSON_SCHEMA });
  app.post('/', { schema: { body: { type: 'object' } } }, async () => 'never');
  await expect(app.ready()).rejects.toThrow('checked by the schemas of zod');
});
