import type { FastifyInstance, FastifyReply } from 'fastify';
import { type ReadinessCheck, renderCheck } from '../../health/check.ts';

/**
 * `GET /livez`: the process is running. `GET /readyz`: the service can issue URLs; otherwise 503, so that load balancers leave this
 * replica out. Both return text, one line per check: `ok credentials`.
 * @param options.details whether the lines have details, e.g. `ok credentials: static`: only on a port that callers cannot reach.
 */
export function registerHealthRoutes(
  app: FastifyInstance,
  checks: () => readonly ReadinessCheck[],
  options: { readonly details: boolean },
): void {
  const config = { public: true };
  app.get('/livez', { config }, async (_request, reply) => sendText(reply, 'ok\n'));
  app.get('/readyz', { config }, async (_request, reply) => {
    const results = checks();
    if (!results.every(({ ok }) => ok)) reply.code(503).header('Retry-After', '5');
    return sendText(reply, results.map((check) => renderCheck(check, options)).join(''));
  });
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(text);
}
