import type { Socket } from 'node:net';
import { ServiceError } from '../errors.ts';
import { toProblem } from './problem-json.ts';

/**
 * Answers what Node's HTTP parser refused before there was a request: a problem document on the bare socket. The bytes
 * that were sent are not repeated: they can hold a token.
 */
export function answerMalformedHttp(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [statusLine, detail] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'The headers may have at most 16384 bytes.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'The request did not arrive in time.']
        : ['400 Bad Request', 'The request is not valid HTTP/1.1.'];
  const problem = {
    ...toProblem(new ServiceError('invalid_request', detail), requestId),
    status: Number.parseInt(statusLine, 10),
  };
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
