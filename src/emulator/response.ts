import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderErrorXml } from './error-xml.ts';
import type { OssError } from './oss-error.ts';

const MAX_DISCARD_MS = 5_000;

/**
 * Sends an error: OSS's XML and `x-oss-ec`, and for HEAD, which has no body, the XML in
 * `x-oss-err`. If the client is still sending its body, the rest is read and discarded for at most
 * 5 s: closing at once would reset the connection before the client has read the response. A client
 * that waits for `100 Continue` sends nothing.
 */
export async function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: OssError,
  context: { requestId: string; awaitsContinue: boolean },
): Promise<void> {
  const xml = Buffer.from(
    renderErrorXml(error, { requestId: context.requestId, hostId: request.headers.host ?? '' }),
  );
  if (error.ec) response.setHeader('x-oss-ec', error.ec);
  const hasUnreadBody = !request.complete && hasBody(request);
  if (hasUnreadBody) response.setHeader('Connection', 'close');
  if (request.method === 'HEAD') {
    response.writeHead(error.status, { 'x-oss-err': xml.toString('base64') }).end();
    return;
  }
  response.writeHead(error.status, { 'Content-Type': 'application/xml', 'Content-Length': xml.length });
  response.write(xml);
  if (hasUnreadBody && !context.awaitsContinue) await discardBody(request);
  response.end();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function discardBody(request: IncomingMessage): Promise<void> {
  if (request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, MAX_DISCARD_MS);
  request
    .once('end', resolve)
    .once('close', resolve)
    .once('error', () => resolve());
  request.resume();
  await promise;
  clearTimeout(timer);
}
