import type { FastifyInstance, FastifyReply } from 'fastify';

/** One line of `/readyz`. `detail` is for operators: no secret, no address with a password; undefined if there is nothing to say. */
export type ReadinessCheck = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string | undefined;
};

/**
 * `GET /livez`: the process is running. `GET /readyz`: the service can issue URLs; otherwise 503, so that load balancers leave this
 * replica out. Both return text, one line per check: `ok credentials`.
 * @param options.details whether the lines say more, e.g. `ok credentials: static`: only where callers cannot ask.
 */
export function registerHealthRoutes(
  app: FastifyInstance,
  checks: () => readonly ReadinessCheck[],
  { details }: { readonly details: boolean },
): void {
  const config = { public: true };
  app.get('/livez', { config }, async (_request, reply) => sendText(reply, 'ok\n'));
  app.get('/readyz', { config }, async (_request, reply) => {
    const results = checks();
    if (!results.every(({ ok }) => ok)) reply.code(503).header('Retry-After', '5');
    return sendText(reply, results.map((check) => renderCheck(check, details)).join(''));
  });
}

function renderCheck({ name, ok, detail }: ReadinessCheck, details: boolean): string {
  return `${ok ? 'ok' : 'FAILED'} ${name}${details && detail !== undefined ? `: ${detail}` : ''}\n`;
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(text);
}
