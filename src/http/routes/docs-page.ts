import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../../errors.ts';
import { DOCS_SECURITY_POLICY } from '../docs/page.ts';
import { createDocsFiles, type DocsFile } from '../docs/page-files.ts';
import type { Route, RouteResponse } from './route.ts';

/** `GET /docs`: a page that shows the OpenAPI document. It loads nothing from other hosts. */
export const docsPage: Route<unknown> = {
  method: 'GET',
  path: '/docs',
  isPublic: true,
  openapi: {
    operationId: 'getDocs',
    tag: 'Operation',
    summary: 'Show this document as a page',
    responses: {
      200: {
        description: 'A page that shows this document and can try requests.',
        content: { mediaType: 'text/html', example: '<!doctype html>' },
      },
    },
  },
  handler: () => {
    const findFile = createDocsFiles();
    return async ({ headers }) => fileResponse(await findFile('/docs'), headers);
  },
};

/** `GET /docs/:file`: a file that the page loads. */
export const docsFile: Route<unknown> = {
  method: 'GET',
  path: '/docs/:file',
  isPublic: true,
  openapi: {
    operationId: 'getDocsFile',
    tag: 'Operation',
    summary: 'Get a file that the page loads',
    responses: {
      200: { description: 'The file.', content: { mediaType: '*/*', example: 'body {}' } },
    },
    problems: ['not_found'],
    pathParameters: [{ name: 'file', description: 'The name of the file.', example: 'page.css' }],
  },
  handler: () => {
    const findFile = createDocsFiles();
    return async ({ headers, params }) => {
      const { file } = params as { readonly file: string };
      return fileResponse(await findFile(`/docs/${file}`), headers);
    };
  },
};

function fileResponse(file: DocsFile | undefined, sent: FastifyRequest['headers']): RouteResponse {
  if (!file) throw new ServiceError('not_found', 'There is no such file; the page is at /docs.');
  const headers = {
    'content-security-policy': DOCS_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    // Browsers revalidate each time: a new version shows at once, and the large file is transferred
    // once.
    'cache-control': 'no-cache',
    etag: file.etag,
    vary: 'accept-encoding',
  };
  if (sent['if-none-match'] === file.etag) return { status: 304, headers };
  const typed = { ...headers, 'content-type': file.type };
  return acceptsGzip(sent['accept-encoding'])
    ? { status: 200, headers: { ...typed, 'content-encoding': 'gzip' }, body: file.gzipped }
    : { status: 200, headers: typed, body: file.bytes };
}

/** Whether an Accept-Encoding header (RFC 9110 12.5.3) lists gzip with a weight other than 0. */
function acceptsGzip(acceptEncoding: string | string[] | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(acceptEncoding ?? ''));
}
