import type { FastifyInstance } from 'fastify';

/**
 * Sets the headers that every response has: the request id, and `nosniff`. While the process
 * drains, responses also close their connection.
 */
export function registerCommonHeaders(app: FastifyInstance, isDraining: () => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) reply.header('connection', 'close');
    done();
  });
}
