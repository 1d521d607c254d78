import type { FastifyInstance, FastifyRequest } from 'fastify';
import { basicOrBearerToken } from '../../auth/basic-token.ts';
import { bearerToken } from '../../auth/bearer-token.ts';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { CallerContext } from '../../grants/grant.ts';
import type { PreparedStorage } from '../../grants/prepared-storage.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ClientProtocol } from '../routes/client-protocol.ts';

/**
 * A policy, the verifier of its issuers' tokens and its storage. They change together, so a request
 * takes all three at once and keeps them.
 */
export type ActivePolicy = {
  readonly policy: Policy;
  readonly verifier: TokenVerifier;
  readonly storage: PreparedStorage;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route needs no token. Every other route requires one. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Set by the time a handler of a route that is not public runs. */
    callerContext: CallerContext | undefined;
  }
}

/**
 * Requires a verified token for every route without `config: { public: true }`, before the body
 * is read. It is a Bearer token, or a password on a route with `config: { protocol }`. The hook
 * applies to all routes of the app, so a new route cannot lack it.
 * @param admit awaited first; rejects if the request is not admitted. Public routes skip it: a
 *   probe must not take a busy replica for a dead one.
 */
export function registerAuthentication(
  app: FastifyInstance,
  active: () => ActivePolicy,
  admit: () => Promise<void>,
): void {
  app.decorateRequest('callerContext', undefined);
  app.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions;
    const isUnroutable = url === undefined;
    if (isUnroutable || config.public) return;
    await admit();
    const { policy, verifier, storage } = active();
    const verified = verifier.verify(tokenOf(request.headers.authorization, config.protocol));
    // No promise for a token that was verified before.
    const caller = verified instanceof Promise ? await verified : verified;
    request.callerContext = { caller, policy, storage };
  });
}

function tokenOf(authorization: string | undefined, protocol: ClientProtocol | undefined): string {
  return protocol ? basicOrBearerToken(authorization, protocol.basicUser) : bearerToken(authorization);
}

/**
 * The verified caller of a request, and the policy and storage that apply to it.
 * @throws TypeError on a public route, which is a bug.
 */
export function callerContextOf(request: FastifyRequest): CallerContext {
  if (!request.callerContext) throw new TypeError('a public route has no caller');
  return request.callerContext;
}
