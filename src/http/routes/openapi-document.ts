import type { Route } from './route.ts';

export type OpenApiDocumentDependencies = {
  /** Renders the document as YAML. */
  readonly renderOpenApi: () => string;
};

/** `GET /openapi.yaml`: the document of the running version. */
export const openApiDocument: Route<OpenApiDocumentDependencies> = {
  method: 'GET',
  path: '/openapi.yaml',
  isPublic: true,
  openapi: {
    operationId: 'getOpenApi',
    tag: 'Operation',
    summary: 'Get this document',
    responses: {
      200: {
        description: 'This document.',
        content: { mediaType: 'application/yaml', example: 'openapi: 3.1.0\n' },
      },
    },
  },
  handler: ({ renderOpenApi }) => {
    // Rendered on the first request, because a starting process has more urgent work.
    let document: string | undefined;
    return () => {
      document ??= renderOpenApi();
      return {
        status: 200,
        headers: { 'content-type': 'application/yaml; charset=utf-8' },
        body: document,
      };
    };
  },
};
