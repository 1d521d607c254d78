import type { FastifyInstance, FastifyReply } from 'fastify';
import { runInStep } from '../load-control/run-in-step.ts';
import type { Route, RouteResponse } from './route.ts';

/** Registers the operations that a process with these dependencies serves. */
export function registerRoutes<Dependencies>(
  app: FastifyInstance,
  routes: readonly Route<Dependencies>[],
  dependencies: Dependencies,
): void {
  for (const { method, path, isPublic, handler } of routes) {
    const handle = handler(dependencies);
    if (!handle) continue;
    app.route({
      method,
      url: path,
      config: { public: isPublic },
      handler: (request, reply) =>
        runInStep(
          () => handle(request, reply),
          (response) => serialize(response),
          (response) => send(reply, response),
        ),
    });
  }
}

type SerializedResponse = Pick<RouteResponse, 'status' | 'headers' | 'body'>;

function serialize(response: RouteResponse): SerializedResponse {
  if (response.json === undefined) return response;
  const { status, headers, json } = response;
  const typed = { ...headers, 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: typed, body: JSON.stringify(json) };
}

function send(reply: FastifyReply, { status, headers, body }: SerializedResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}
