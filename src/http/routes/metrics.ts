import { type Route, textResponse } from './route.ts';

/** Renders the metrics as text for Prometheus, with the media type of the text format's version. */
export type RenderMetrics = () => Promise<{ readonly contentType: string; readonly text: string }>;

export type MetricsDependencies = {
  /** Undefined if this port does not serve `/metrics`. */
  readonly renderMetrics?: RenderMetrics | undefined;
};

/** `GET /metrics`: public, because no label or value comes from a caller. */
export const metrics: Route<MetricsDependencies> = {
  method: 'GET',
  path: '/metrics',
  isPublic: true,
  openapi: {
    operationId: 'getMetrics',
    tag: 'Operation',
    summary: 'Get metrics for Prometheus',
    responses: {
      200: {
        description: 'The metrics in the text format of Prometheus.',
        content: { mediaType: 'text/plain', example: 'oss_presign_grants_total{rule="own-files"} 42\n' },
      },
    },
    problems: ['not_found'],
  },
  handler: ({ renderMetrics }) =>
    renderMetrics &&
    (async () => {
      const { contentType, text } = await renderMetrics();
      return textResponse(200, contentType, text);
    }),
};
