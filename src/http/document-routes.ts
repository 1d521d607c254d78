import type { FastifyInstance } from 'fastify';
import { renderOpenApi } from './openapi.ts';

/** `GET /openapi.yaml`: the document of this very version, from the schemas that check the requests. */
export function registerDocumentRoutes(app: FastifyInstance): void {
  const document = renderOpenApi();
  app.get('/openapi.yaml', { config: { public: true } }, async (_request, reply) =>
    reply.type('application/yaml; charset=utf-8').send(document),
  );
}
