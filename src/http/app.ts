import fastify, { type FastifyInstance } from 'fastify';
import type { DenialLimiter } from '../grants/ports/limiter.ts';
import { renderOpenApi } from './docs/openapi.ts';
import { createLoadShedder } from './load-control/load-shedder.ts';
import type { RequestGroups } from './load-control/request-groups.ts';
import { NO_JSON_SCHEMA } from './no-json-schema.ts';
import { registerAccessLog } from './plugins/access-log.ts';
import { type ActivePolicy, registerAuthentication } from './plugins/authentication.ts';
import { registerCors } from './plugins/cors.ts';
import { registerDenialLimit } from './plugins/denial-limit.ts';
import { registerRefusals, rejectUnrouted } from './plugins/error-handler.ts';
import { MAX_BODY_BYTES, registerJsonBody } from './plugins/json-body.ts';
import { answerMalformedHttp } from './plugins/malformed-request.ts';
import { registerNotFound } from './plugins/not-found.ts';
import { toServiceError } from './plugins/problem-json.ts';
import { registerRoutes } from './routes/register-routes.ts';
import { ROUTES, type RouteDependencies } from './routes/routes.ts';

export type AppDependencies = Omit<RouteDependencies, 'readinessDetails' | 'renderOpenApi'> & {
  /** The policy of this moment. */
  readonly active: () => ActivePolicy;
  /** True once the process was asked to stop: answers then end their connection. */
  readonly isDraining: () => boolean;
  readonly newRequestId: () => string;
  /** Bounds the denied and invalid requests of each caller. */
  readonly denials: DenialLimiter;
  readonly requestGroups: RequestGroups;
  /** The origins of web pages that may call the service; empty switches CORS off. */
  readonly corsOrigins: readonly string[];
  /** Request headers that these pages may send besides the usual ones. */
  readonly corsAllowedHeaders: readonly string[];
  /** Addresses, CIDR ranges and range names of proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
};

/**
 * The whole HTTP service, from its dependencies: plugins, routes and the error handler. It never listens and never reads
 * the environment, so a test can hold one and inject requests.
 */
export async function buildApp(dependencies: AppDependencies): Promise<FastifyInstance> {
  const { logger, newRequestId, trustProxy, isDraining, observer, denials } = dependencies;
  const app = fastify({
    // Fastify's own lines hold the address as it was sent, and with it whatever a caller put into the query; and a logger for each
    // request, of which most would write nothing, takes longer than the line that is written.
    logger: false,
    schemaController: NO_JSON_SCHEMA,
    requestIdHeader: false,
    genReqId: newRequestId,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    bodyLimit: MAX_BODY_BYTES,
    // A body of 64 KiB needs no longer; a client that dribbles must not hold a connection.
    requestTimeout: 15_000,
    // Node looks for connections beyond these times every 30 s unless told otherwise.
    http: { headersTimeout: 10_000, maxHeaderSize: 16_384, connectionsCheckingInterval: 2_000 },
    // Longer than the 60 s of common load balancers, which else meet a connection that has just been closed.
    keepAliveTimeout: 65_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // These requests pass no hook, so that no other line mentions them.
    frameworkErrors: (error, request, reply) => {
      rejectUnrouted(toServiceError(error), request, reply, logger, observer);
    },
    clientErrorHandler: (error, socket) =>
      answerMalformedHttp(error, socket, { requestId: newRequestId(), logger, observer }),
  });

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) reply.header('connection', 'close');
    done();
  });
  registerNotFound(app);
  registerRefusals(app, logger, observer, denials);
  registerAccessLog(app, logger, observer);
  await registerCors(app, {
    origins: dependencies.corsOrigins,
    extraHeaders: dependencies.corsAllowedHeaders,
    logger,
    clock: dependencies.clock,
  });
  const admit = createLoadShedder({
    requestGroups: dependencies.requestGroups,
    onOverload: (waitedMs) =>
      logger.warn({ waitedMs: Math.round(waitedMs) }, 'overloaded: a part of what arrives is refused'),
  });
  registerAuthentication(app, dependencies.active, admit);
  registerDenialLimit(app, denials);
  registerJsonBody(app);
  registerRoutes(app, ROUTES, {
    ...dependencies,
    readinessDetails: false,
    renderOpenApi: () => renderOpenApi(ROUTES),
  });
  return app;
}
