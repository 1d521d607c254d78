import fastify, { type FastifyInstance } from 'fastify';
import type { DenialLimiter } from './grants/ports/limiter.ts';
import { type ActivePolicy, registerAuthentication } from './http/authenticate.ts';
import { answerMalformedHttp } from './http/client-error.ts';
import { registerCors } from './http/cors.ts';
import { registerDenialLimit } from './http/denial-limit.ts';
import { registerDocumentRoutes } from './http/document-routes.ts';
import { type ReadinessCheck, registerHealthRoutes } from './http/health-routes.ts';
import { MAX_BODY_BYTES, registerJsonBody } from './http/json-body.ts';
import { type RenderMetrics, registerMetricsRoute } from './http/metrics-route.ts';
import { NO_JSON_SCHEMA } from './http/no-json-schema.ts';
import { registerNotFound } from './http/not-found.ts';
import { createGate } from './http/overload.ts';
import { toServiceError } from './http/problem-json.ts';
import { registerRefusals, rejectUnrouted } from './http/refusals.ts';
import { registerAccessLog } from './http/request-lines.ts';
import type { Turns } from './http/turns.ts';
import { registerUploadRoutes, type UploadRoutesOptions } from './http/upload-routes.ts';

export type AppDependencies = UploadRoutesOptions & {
  /** The policy of this moment. */
  readonly active: () => ActivePolicy;
  /** Serves `/metrics`; without it there is none here. */
  readonly renderMetrics?: RenderMetrics | undefined;
  /** The lines of `/readyz`. */
  readonly readiness: () => readonly ReadinessCheck[];
  /** True once the process was asked to stop: answers then end their connection. */
  readonly isDraining: () => boolean;
  readonly newRequestId: () => string;
  /** Bounds the denied and invalid requests of each caller. */
  readonly denials: DenialLimiter;
  readonly turns: Turns;
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
  const { logger, newRequestId, trustProxy, isDraining, observer, denials, renderMetrics, turns } =
    dependencies;
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
  const enter = createGate({
    turns,
    onOverload: (waitedMs) =>
      logger.warn({ waitedMs: Math.round(waitedMs) }, 'overloaded: a part of what arrives is refused'),
  });
  registerAuthentication(app, dependencies.active, enter);
  registerDenialLimit(app, denials);
  registerJsonBody(app);
  registerUploadRoutes(app, dependencies);
  registerHealthRoutes(app, dependencies.readiness, { details: false });
  registerDocumentRoutes(app);
  if (renderMetrics) registerMetricsRoute(app, renderMetrics);
  return app;
}
