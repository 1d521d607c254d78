import fastify, { type FastifyInstance } from 'fastify';
import type { DenialLimiter } from '../grants/ports/limiter.ts';
import { type AdapterName, adapterRoutes } from './adapters/adapters.ts';
import { renderOpenApi } from './docs/openapi.ts';
import { createLoadShedder } from './load-control/load-shedder.ts';
import type { RequestGroups } from './load-control/request-groups.ts';
import { NO_JSON_SCHEMA } from './no-json-schema.ts';
import { registerAccessLog } from './plugins/access-log.ts';
import { type ActivePolicy, registerAuthentication } from './plugins/authentication.ts';
import { registerCommonHeaders } from './plugins/common-headers.ts';
import { registerCors } from './plugins/cors.ts';
import { registerDenialLimit } from './plugins/denial-limit.ts';
import { registerErrorHandler, rejectBeforeHooks } from './plugins/error-handler.ts';
import { MAX_BODY_BYTES, registerJsonBody } from './plugins/json-body.ts';
import { MAX_HEADER_BYTES, respondToMalformedRequest } from './plugins/malformed-request.ts';
import { registerNotFound } from './plugins/not-found.ts';
import { toServiceError } from './plugins/problem-json.ts';
import { registerRoutes } from './routes/register-routes.ts';
import { ROUTES, type RouteDependencies } from './routes/routes.ts';

export type AppDependencies = Omit<RouteDependencies, 'readinessDetails' | 'renderOpenApi'> & {
  /** The policy of this moment. */
  readonly active: () => ActivePolicy;
  /** Whether the process is stopping: responses then close their connection. */
  readonly isDraining: () => boolean;
  readonly newRequestId: () => string;
  /** Bounds the denied and invalid requests of each caller. */
  readonly denials: DenialLimiter;
  readonly requestGroups: RequestGroups;
  /** The origins of web pages that may call the service; empty switches CORS off. */
  readonly corsOrigins: readonly string[];
  /** Request headers that these pages may send besides the usual ones. */
  readonly corsAllowedHeaders: readonly string[];
  /** The adapters whose routes the service has. */
  readonly adapters: readonly AdapterName[];
  /** Addresses, CIDR ranges and range names of proxies whose X-Forwarded-For is trusted. */
  readonly trustProxy: readonly string[];
};

/**
 * Enough for a body of {@link MAX_BODY_BYTES}. A client that sends slowly must not hold a
 * connection.
 */
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 10_000;

/** How often Node looks for connections beyond these times; its default is 30 s. */
const CONNECTIONS_CHECK_INTERVAL_MS = 2_000;

/**
 * Longer than the 60 s of common load balancers, so that the load balancer closes idle connections
 * first.
 */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/**
 * Builds the whole HTTP service from its dependencies. It does not listen and does not read the
 * environment, so a test can inject requests.
 */
export async function buildApp(dependencies: AppDependencies): Promise<FastifyInstance> {
  const { logger, newRequestId, trustProxy, isDraining, observer, denials } = dependencies;
  const app = fastify({
    // Fastify's own lines contain the URL that was sent, and so whatever a caller put into the
    // query. Its logger per request also takes longer than a line of ours, and would write nothing
    // for most requests.
    logger: false,
    schemaController: NO_JSON_SCHEMA,
    requestIdHeader: false,
    genReqId: newRequestId,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: CONNECTIONS_CHECK_INTERVAL_MS,
    },
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      rejectBeforeHooks(toServiceError(error), request, reply, { logger, observer }),
    clientErrorHandler: (error, socket) =>
      respondToMalformedRequest(error, socket, { requestId: newRequestId(), logger, observer }),
  });

  // The order matters: Fastify runs hooks of one kind in the order in which they are registered.
  // 1. Common headers: also on the responses of every hook below that rejects.
  registerCommonHeaders(app, isDraining);
  // 2. Not found: records the paths of all routes, so it precedes them. CORS needs its 404 and 405.
  registerNotFound(app);
  // 3. Error handler: turns whatever the hooks below throw into a problem document.
  registerErrorHandler(app, { logger, observer, denials });
  // 4. Access log: has a line for every request from here on, also for preflights.
  registerAccessLog(app, { logger, observer });
  // 5. CORS: before authentication, because a preflight has no token.
  await registerCors(app, {
    origins: dependencies.corsOrigins,
    extraHeaders: dependencies.corsAllowedHeaders,
    logger,
    clock: dependencies.clock,
  });
  // 6. Authentication: after load control, which rejects requests before work is done for them.
  const admit = createLoadShedder({
    requestGroups: dependencies.requestGroups,
    onOverload: (waitedMs) =>
      logger.warn({ waitedMs: Math.round(waitedMs) }, 'overloaded: a share of the requests is rejected'),
  });
  registerAuthentication(app, dependencies.active, admit);
  // 7. Denial limit: needs the caller, and comes before anything else is checked.
  registerDenialLimit(app, denials);
  // 8. JSON body: read only for a caller who may continue.
  registerJsonBody(app);
  // 9. Routes.
  const routes = [...ROUTES, ...adapterRoutes(dependencies.adapters)];
  registerRoutes(app, routes, {
    ...dependencies,
    readinessDetails: false,
    renderOpenApi: () => renderOpenApi(routes),
  });
  return app;
}
