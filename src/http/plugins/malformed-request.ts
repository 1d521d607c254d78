import type { Socket } from 'node:net';
import { ServiceError } from '../../errors.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { ServiceLogger } from '../../log/logger.ts';
import { renderRequestLine } from '../../log/request-line.ts';
import { toProblem } from './problem-json.ts';
import { clientRequestId } from './request-ids.ts';

/** An error of Node's HTTP parser; `rawPacket`, a Buffer, holds what the client sent last. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: unknown };

/** At most this many bytes of request line and headers are read. */
export const MAX_HEADER_BYTES = 16_384;

/** The status line and detail by the code of Node's error; any other is 400. */
const RESPONSES: Readonly<Record<string, readonly [statusLine: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The headers may have at most ${MAX_HEADER_BYTES} bytes.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
  HPE_INVALID_METHOD: [
    '400 Bad Request',
    'The request does not begin with an HTTP method in upper case, such as POST. This port does not speak TLS.',
  ],
};

/**
 * Responds to bytes that Node's HTTP parser rejects, for which there is no request object: writes a
 * problem document to the socket, and a log line. Neither repeats the bytes, which can contain a
 * token.
 */
export function respondToMalformedRequest(
  error: ParserError,
  socket: Socket,
  {
    requestId,
    logger,
    observer,
  }: { readonly requestId: string; readonly logger: ServiceLogger; readonly observer: Observer },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [statusLine, detail] = RESPONSES[error.code ?? ''] ?? [
    '400 Bad Request',
    'The request is not valid HTTP/1.1.',
  ];
  const rejection = new ServiceError('invalid_request', detail);
  const status = Number.parseInt(statusLine, 10);
  const problem = { ...toProblem(rejection, requestId), status };
  observer.rejected('invalid_request');
  const line = {
    requestId,
    clientRequestId: sentRequestId(error.rawPacket),
    traceId: undefined,
    method: null,
    route: null,
    status,
    rejection,
    remoteAddress: socket.remoteAddress,
  };
  logger.writeLine('info', renderRequestLine(line));
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${statusLine}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

const REQUEST_ID_FIELD = /^x-request-id:[\t ]*([!-~]{1,128})[\t ]*\r?$/im;

/** The request id that the client sent, if its whole header line is in the bytes at hand. */
function sentRequestId(rawPacket: unknown): string | undefined {
  if (!Buffer.isBuffer(rawPacket)) return undefined;
  return clientRequestId(REQUEST_ID_FIELD.exec(rawPacket.toString('latin1', 0, MAX_HEADER_BYTES))?.[1]);
}
