import fastify, { type FastifyInstance } from 'fastify';
import type { ReadinessCheck } from '../health/check.ts';
import { NO_JSON_SCHEMA } from './no-json-schema.ts';
import { registerHealthRoutes } from './routes/health.ts';
import { type RenderMetrics, registerMetricsRoute } from './routes/metrics.ts';

/**
 * A listener of its own for those who operate the service: `/metrics`, which the network can then keep from callers, and the
 * probes. Node accepts one new connection per turn of its loop, so that on the callers' port a probe stands in line behind all
 * who come new; here it is the only one.
 */
export function buildOperationsApp(
  render: RenderMetrics,
  readiness: () => readonly ReadinessCheck[],
): FastifyInstance {
  const app = fastify({
    schemaController: NO_JSON_SCHEMA,
    requestTimeout: 15_000,
    forceCloseConnections: true,
  });
  registerMetricsRoute(app, render);
  registerHealthRoutes(app, readiness, { details: true });
  return app;
}
