import type { FastifyInstance } from 'fastify';

/** Prometheus text, and the media type that says which version of it. */
export type RenderMetrics = () => Promise<{ readonly contentType: string; readonly text: string }>;

/** `GET /metrics`, without a token: it holds nothing of any caller. */
export function registerMetricsRoute(app: FastifyInstance, render: RenderMetrics): void {
  app.get('/metrics', { config: { public: true } }, async (_request, reply) => {
    const { contentType, text } = await render();
    return reply.header('cache-control', 'no-store').type(contentType).send(text);
  });
}
