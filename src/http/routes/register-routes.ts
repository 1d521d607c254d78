import type { FastifyInstance, FastifyReply } from 'fastify';
import { runInStep } from '../load-control/run-in-step.ts';
import type { Route, RouteResponse } from './route.ts';

/** Registers the operations that a process with these dependencies serves. */
export function registerRoutes<Dependencies>(
  app: FastifyInstance,
  routes: readonly Route<Dependencies>[],
  dependencies: Dependencies,
): void {
  for (const { method, path, isPublic, maxBodyBytes, keepsRawBody = false, handler } of routes) {
    const handle = handler(dependencies);
    if (!handle) continue;
    app.route({
      method,
      url: path,
      config: { public: isPublic, keepsRawBody },
      ...(maxBodyBytes !== undefined && { bodyLimit: maxBodyBytes }),
      handler: (request, reply) =>
        runInStep(
          () => handle(request, reply),
          (response) => serialize(response),
          (response, body) => send(reply, response, body),
        ),
    });
  }
}

function serialize({ json, body }: RouteResponse): RouteResponse['body'] {
  return json === undefined ? body : JSON.stringify(json);
}

function send(
  reply: FastifyReply,
  { status, headers, json }: RouteResponse,
  body: RouteResponse['body'],
): FastifyReply {
  reply.code(status);
  for (const name in headers) reply.header(name, headers[name]);
  if (json !== undefined) reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(body);
}
