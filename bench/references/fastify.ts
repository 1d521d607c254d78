import { fastify } from 'fastify';
import { announce } from '../processes/announce.ts';
import { STATIC_RESPONSE } from './static-response.ts';

// The cost of Fastify itself: it parses the request's body and sends a constant text.
const app = fastify();
app.get('/livez', (_request, reply) => reply.send('ok'));
app.post('/v1/uploads', (_request, reply) =>
  reply
    .code(201)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(STATIC_RESPONSE),
);
await app.listen({ port: 0, host: '127.0.0.1' });
announce(app.server.address());
