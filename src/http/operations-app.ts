import fastify, { type FastifyInstance } from 'fastify';
import type { ReadinessCheck } from '../health/check.ts';
import { NO_JSON_SCHEMA } from './no-json-schema.ts';
import type { RenderMetrics } from './routes/metrics.ts';
import { registerRoutes } from './routes/register-routes.ts';
import { OPERATIONS_ROUTES } from './routes/routes.ts';

/**
 * Builds the listener of `METRICS_PORT`: `/metrics`, which a network can then keep from callers,
 * and the probes with details. Node accepts one new connection per event-loop turn, so on the
 * callers' port a probe queues behind new clients; here it does not.
 */
export function buildOperationsApp(
  renderMetrics: RenderMetrics,
  readiness: () => readonly ReadinessCheck[],
): FastifyInstance {
  const app = fastify({
    schemaController: NO_JSON_SCHEMA,
    requestTimeout: 15_000,
    forceCloseConnections: true,
  });
  registerRoutes(app, OPERATIONS_ROUTES, { renderMetrics, readiness, readinessDetails: true });
  return app;
}
