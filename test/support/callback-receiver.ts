import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificate.ts';

/** The response of a server that takes note of a callback. */
export const CALLBACK_OK = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"Status":"OK"}';

export type ReceivedRequest = {
  readonly line: string;
  /** `Name: value`, in the order in which they were sent. */
  readonly headers: readonly string[];
  readonly body: string;
  /** The server name of TLS (SNI); false without one. */
  readonly serverName: string | false;
};

export type CallbackReceiver = {
  /** `http://127.0.0.1:port`, or `https://localhost:port` with a certificate. */
  readonly origin: string;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves with the first request. */
  readonly received: Promise<ReceivedRequest>;
  /** Resolves when the client has closed the first connection. */
  readonly disconnected: Promise<void>;
};

/**
 * Starts a server of callbacks that records each request and sends these bytes back, in one write
 * for each text, then closes the connection. Without a response it leaves the connection open.
 */
export async function startCallbackReceiver(
  response: string | readonly string[] | null = CALLBACK_OK,
  certificate?: Certificate,
): Promise<CallbackReceiver> {
  const requests: ReceivedRequest[] = [];
  const { promise: received, resolve: resolveReceived } = Promise.withResolvers<ReceivedRequest>();
  const { promise: disconnected, resolve: resolveDisconnected } = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    let text = '';
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        resolveDisconnected();
      })
      .on('data', (chunk) => {
        text += chunk.toString();
        const end = text.indexOf('\r\n\r\n');
        const [line = '', ...headers] = text.slice(0, Math.max(end, 0)).split('\r\n');
        const body = text.slice(end + 4);
        const length = /^content-length: (\d+)$/im.exec(headers.join('\n'))?.[1];
        if (end < 0 || Buffer.byteLength(body) < Number(length)) return;
        const request = { line, headers, body, serverName: (socket as TLSSocket).servername ?? false };
        requests.push(request);
        resolveReceived(request);
        if (response === null) return;
        for (const part of [response].flat()) socket.write(part, 'latin1');
        socket.end();
      });
  };
  const server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  const origin = certificate ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  return { origin, requests, received, disconnected };
}
