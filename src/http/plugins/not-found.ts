import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import { didYouMean } from '../../text/suggest.ts';

/**
 * The order of methods in `Allow`. OPTIONS is missing on purpose: only the CORS protocol uses it
 * here.
 */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Responds to requests that no route accepts: 405 with `Allow` if the path has a route for another
 * method (RFC 9110 15.5.6), else 404 with the path that the client may have meant. Call it before
 * any route is registered.
 */
export function registerNotFound(app: FastifyInstance): void {
  const knownPaths = new Set<string>();
  app.addHook('onRoute', ({ url }) => {
    // A path with a parameter and the "*" of the CORS plugin are no suggestions.
    if (!/[:*]/.test(url)) knownPaths.add(url);
  });

  app.decorate('noRouteError', ({ url }: Pick<FastifyRequest, 'url'>, hint: string | undefined) => {
    const path = pathOf(url);
    const allowed = METHODS.filter((method) => app.findRoute({ method, url: path }));
    if (allowed.length > 0) {
      return new ServiceError('method_not_allowed', hint ?? `Use ${allowed.join(' or ')} here.`, {
        headers: { Allow: allowed.join(', ') },
      });
    }
    return new ServiceError(
      'not_found',
      `There is nothing at this address.${didYouMean(path, knownPaths)} See /docs or /openapi.yaml for the API.`,
    );
  });
  app.setNotFoundHandler(async (request) => {
    throw app.noRouteError(request);
  });
}

/**
 * The path of a request target in origin form (`/path?query`) or absolute form
 * (`http://host/path?query`), RFC 9112 3.2.
 */
function pathOf(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The 404 or 405 for a request that no route accepts.
     * @param hint the `detail` of a 405; by default it names the methods that the path has.
     */
    noRouteError(request: Pick<FastifyRequest, 'url'>, hint?: string): ServiceError;
  }
}
