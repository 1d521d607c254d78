import { type ReadinessCheck, renderCheck } from '../../health/check.ts';
import { type Route, textResponse } from './route.ts';

export type ReadyzDependencies = {
  /** The checks of this moment. */
  readonly readiness: () => readonly ReadinessCheck[];
  /**
   * Whether the lines have details, e.g. `ok credentials: static`: only on a port that callers
   * cannot reach.
   */
  readonly readinessDetails: boolean;
};

/**
 * `GET /readyz`: one line per check, and 503 if one fails, so that load balancers leave this
 * replica out.
 */
export const readyz: Route<ReadyzDependencies> = {
  method: 'GET',
  path: '/readyz',
  isPublic: true,
  openapi: {
    operationId: 'isReady',
    tag: 'Operation',
    summary: 'Check whether the service can issue URLs',
    responses: {
      200: {
        description: 'Ready to issue URLs.',
        content: { mediaType: 'text/plain', example: 'ok lifecycle\nok credentials\n' },
      },
      503: {
        description: 'Not ready; the body lists the failed checks.',
        headers: ['Retry-After'],
        content: { mediaType: 'text/plain', example: 'ok lifecycle\nFAILED credentials\n' },
      },
    },
  },
  handler:
    ({ readiness, readinessDetails: details }) =>
    () => {
      const checks = readiness();
      const text = checks.map((check) => renderCheck(check, { details })).join('');
      if (checks.every(({ ok }) => ok)) return textResponse(200, 'text/plain; charset=utf-8', text);
      const response = textResponse(503, 'text/plain; charset=utf-8', text);
      return { ...response, headers: { ...response.headers, 'retry-after': '5' } };
    },
};
