import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Answers what no route takes: 405 with `Allow` where another method would do (RFC 9110 15.5.6), else 404. */
export function registerNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler(async (request) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const allowed = METHODS.filter(
      (method) => method !== request.method && app.findRoute({ method, url: path }),
    );
    if (allowed.length === 0)
      throw new ServiceError('not_found', 'There is nothing at this address; see /openapi.yaml.');
    throw new ServiceError('method_not_allowed', `Use ${allowed.join(' or ')} here.`, {
      headers: { Allow: allowed.join(', ') },
    });
  });
}
