import type { FastifyInstance } from 'fastify';
import { renderOpenApi } from './openapi.ts';

/** `GET /openapi.yaml`: the document of this very version, from the schemas that check the requests. */
export function registerDocumentRoutes(app: FastifyInstance): void {
  // Made when it is first asked for: a process that starts has more urgent work.
  let document: string | undefined;
  app.get('/openapi.yaml', { config: { public: true } }, async (_request, reply) => {
    document ??= renderOpenApi();
    return reply.type('application/yaml; charset=utf-8').send(document);
  });
}
