import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type TestServer = {
  /** `http://127.0.0.1:<port>`, or `https:` with a certificate. */
  readonly origin: string;
  readonly port: number;
  /** The path of every request so far. */
  readonly requests: readonly string[];
  /** How it responds from now on. */
  respond: RequestListener;
  /** Resets the connection of a request instead of responding. */
  reset(request: IncomingMessage): void;
  /** Closes the port, so that connections fail. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
};

/** A real HTTP server on a free port of this machine, closed when the test ends. */
export async function startTestServer(
  respond: RequestListener,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<TestServer> {
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request.url ?? '');
    testServer.respond(request, response);
  };
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  // Under TLS, only the socket beneath can be reset.
  const connections = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => connections.set(socket.remotePort, socket));
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  const testServer: TestServer = {
    origin: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    respond,
    reset: ({ socket }) => void connections.get(socket.remotePort)?.resetAndDestroy(),
    stop,
    restart: () => listen(port),
  };
  return testServer;
}

/** Responds to every request with the value as JSON. */
export function json(value: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}

/** Responds only once the promise is fulfilled. */
export function respondAfter(released: Promise<void>, respond: RequestListener): RequestListener {
  return (request, response) => {
    void released.then(() => respond(request, response));
  };
}
