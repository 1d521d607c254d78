import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerToken } from '../auth/bearer-token.ts';
import type { Caller } from '../auth/caller.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** true: the route answers without a token. Every other route asks for one. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Set by the time a handler of a route that is not public runs. */
    caller: Caller | undefined;
  }
}

/**
 * Asks every route for a verified token, before its body is read, unless the route says `config: { public: true }`.
 * Registers on the instance given, so that no route can be forgotten.
 */
export function registerAuthentication(app: FastifyInstance, verifier: TokenVerifier): void {
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.public) return;
    request.caller = await verifier.verify(bearerToken(request.headers.authorization));
  });
}

/** The verified caller of a request. Throws a TypeError on a public route: a programmer's mistake. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new TypeError('a public route has no caller');
  return request.caller;
}
