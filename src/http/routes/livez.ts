import { type Route, textResponse } from './route.ts';

/** `GET /livez`: the process is running. */
export const livez: Route<unknown> = {
  method: 'GET',
  path: '/livez',
  isPublic: true,
  openapi: {
    operationId: 'isAlive',
    tag: 'Operation',
    summary: 'Check whether the process is running',
    responses: {
      200: {
        description: 'The process is running.',
        content: { mediaType: 'text/plain', example: 'ok\n' },
      },
    },
  },
  handler: () => () => textResponse(200, 'text/plain; charset=utf-8', 'ok\n'),
};
