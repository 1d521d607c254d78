import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerToken } from '../../auth/bearer-token.ts';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { Admission } from '../../grants/upload/issue-upload.ts';
import type { Policy } from '../../policy/policy.ts';

/** A policy and the judge of its issuers' tokens. They change together, so a request takes both at once and keeps them. */
export type ActivePolicy = { readonly policy: Policy; readonly verifier: TokenVerifier };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** true: the route answers without a token. Every other route asks for one. */
    public?: boolean;
  }
  interface FastifyRequest {
    /** Set by the time a handler of a route that is not public runs. */
    admission: Admission | undefined;
  }
}

/**
 * Asks every route for a verified token, before its body is read, unless the route says `config: { public: true }`.
 * Registers on the instance given, so that no route can be forgotten.
 * @param admit awaited first; rejects if the request is not admitted. Public routes skip it: a probe must not take a busy replica
 *   for a dead one.
 */
export function registerAuthentication(
  app: FastifyInstance,
  active: () => ActivePolicy,
  admit: () => Promise<void>,
): void {
  app.decorateRequest('admission', undefined);
  app.addHook('onRequest', async (request) => {
    const { url, config } = request.routeOptions;
    const isUnroutable = url === undefined;
    if (isUnroutable || config.public) return;
    await admit();
    const { policy, verifier } = active();
    const verified = verifier.verify(bearerToken(request.headers.authorization));
    // A token that is remembered makes no promise.
    const caller = verified instanceof Promise ? await verified : verified;
    request.admission = { caller, policy };
  });
}

/** The verified caller and the policy of a request. Throws a TypeError on a public route: a programmer's mistake. */
export function admissionOf(request: FastifyRequest): Admission {
  if (!request.admission) throw new TypeError('a public route has no caller');
  return request.admission;
}
