import type { FastifyInstance } from 'fastify';

/** One line of `/readyz`. `detail` is public: no secret, no address with a password. */
export type ReadinessCheck = { readonly name: string; readonly ok: boolean; readonly detail: string };

/**
 * `GET /livez`: the process answers. `GET /readyz`: it can do its work now; 503 takes it out of the balancer. Both answer
 * text, a line per check: `ok credentials: static`.
 */
export function registerHealthRoutes(app: FastifyInstance, checks: () => readonly ReadinessCheck[]): void {
  const config = { public: true };
  app.get('/livez', { config }, async (_request, reply) =>
    sendChecks(reply, [{ name: 'process', ok: true, detail: 'answering' }]),
  );
  app.get('/readyz', { config }, async (_request, reply) => sendChecks(reply, checks()));
}

/** A check as a line of text. */
export function renderCheck({ name, ok, detail }: ReadinessCheck): string {
  return `${ok ? 'ok' : 'FAILED'} ${name}: ${detail}\n`;
}

function sendChecks(reply: import('fastify').FastifyReply, checks: readonly ReadinessCheck[]): unknown {
  const isReady = checks.every((check) => check.ok);
  if (!isReady) reply.header('Retry-After', '5');
  return reply
    .code(isReady ? 200 : 503)
    .header('cache-control', 'no-store')
    .type('text/plain; charset=utf-8')
    .send(checks.map(renderCheck).join(''));
}
