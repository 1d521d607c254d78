import type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify';
import { runInStep } from '../load-control/run-in-step.ts';
import { acceptJson } from '../plugins/json-body.ts';
import type { Route, RouteResponse } from './route.ts';

/** Registers the operations that a process with these dependencies serves. */
export function registerRoutes<Dependencies>(
  app: FastifyInstance,
  routes: readonly Route<Dependencies>[],
  dependencies: Dependencies,
): void {
  for (const route of routes) {
    const { method, path, isPublic, maxBodyBytes, keepsRawBody = false, protocol, handler } = route;
    const handle = handler(dependencies);
    if (!handle) continue;
    const options: RouteOptions = {
      method,
      url: path,
      config: { public: isPublic, keepsRawBody, protocol },
      ...(maxBodyBytes !== undefined && { bodyLimit: maxBodyBytes }),
      handler: (request, reply) =>
        runInStep(
          () => handle(request, reply),
          (response) => serialize(response),
          (response, body) => send(reply, response, body, protocol?.mediaType ?? 'application/json'),
        ),
    };
    if (protocol) registerWithMediaType(app, options, protocol.mediaType);
    else app.route(options);
  }
}

/** Registers a route that also accepts bodies of another media type. No other route accepts it. */
function registerWithMediaType(app: FastifyInstance, options: RouteOptions, mediaType: string): void {
  app.register(async (scope) => {
    acceptJson(scope, mediaType);
    scope.route(options);
  });
}

function serialize({ json, body }: RouteResponse): RouteResponse['body'] {
  return json === undefined ? body : JSON.stringify(json);
}

function send(
  reply: FastifyReply,
  { status, headers, json }: RouteResponse,
  body: RouteResponse['body'],
  jsonType: string,
): FastifyReply {
  reply.code(status);
  for (const name in headers) reply.header(name, headers[name]);
  if (json !== undefined) reply.header('content-type', `${jsonType}; charset=utf-8`);
  return reply.send(body);
}
