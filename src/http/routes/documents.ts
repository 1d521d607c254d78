import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import { renderOpenApi } from '../docs/openapi.ts';
import { DOCS_SECURITY_POLICY } from '../docs/page.ts';
import { createDocsFiles } from '../docs/page-files.ts';

/**
 * `GET /openapi.yaml`: the document of this very version, from the schemas that check the requests. `GET /docs`: a page that
 * shows it, which loads nothing from anywhere else.
 */
export function registerDocumentRoutes(app: FastifyInstance): void {
  const config = { public: true };
  // Made when it is first asked for: a process that starts has more urgent work.
  let document: string | undefined;
  app.get('/openapi.yaml', { config }, async (_request, reply) => {
    document ??= renderOpenApi();
    return reply.type('application/yaml; charset=utf-8').send(document);
  });

  const findFile = createDocsFiles();
  const sendFile = async (path: string, { headers }: FastifyRequest, reply: FastifyReply) => {
    const file = await findFile(path);
    if (!file) throw new ServiceError('not_found', 'There is no such file; the page is at /docs.');
    reply.headers({
      'content-security-policy': DOCS_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      // Asked again each time, answered 304: a new version shows at once, and the large file travels once.
      'cache-control': 'no-cache',
      etag: file.etag,
      vary: 'accept-encoding',
    });
    if (headers['if-none-match'] === file.etag) return reply.code(304).send();
    reply.type(file.type);
    if (!acceptsGzip(headers['accept-encoding'])) return reply.send(file.bytes);
    return reply.header('content-encoding', 'gzip').send(file.gzipped);
  };
  app.get('/docs', { config }, (request, reply) => sendFile('/docs', request, reply));
  app.get<{ Params: { file: string } }>('/docs/:file', { config }, (request, reply) =>
    sendFile(`/docs/${request.params.file}`, request, reply),
  );
}

/** Whether an Accept-Encoding (RFC 9110 12.5.3) names gzip, and not with the weight 0. */
function acceptsGzip(acceptEncoding: string | string[] | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(acceptEncoding ?? ''));
}
