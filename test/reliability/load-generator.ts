import { connect, type Socket } from 'node:net';

export type TimedResponse = { readonly status: number; readonly ms: number };

/**
 * Sends requests over many connections at once, like the pool of a load balancer under constant load:
 * each connection sends its next request as soon as it has received a response. It uses bare sockets,
 * because an HTTP client would be slower than the service.
 * @param request the bytes of one request. Its response must have a Content-Length.
 */
export class LoadGenerator {
  readonly responses: TimedResponse[] = [];
  /** The error codes of the connections that ended before `stop`. */
  readonly broken: string[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(url: string, request: string, connections: number) {
    const { hostname, port } = new URL(url);
    for (let index = 0; index < connections; index++) this.#connect(hostname, Number(port), request);
  }

  /** Returns the responses since the last call. */
  take(): readonly TimedResponse[] {
    return this.responses.splice(0);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #connect(host: string, port: number, request: string): void {
    const socket = connect(port, host).setNoDelay(true).setEncoding('latin1');
    let received = '';
    let sentAt = performance.now();
    const send = (): void => {
      sentAt = performance.now();
      socket.write(request);
    };
    this.#sockets.add(socket);
    socket.once('connect', send);
    socket.on('data', (chunk) => {
      received += chunk;
      const head = received.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/^content-length: (\d+)/im.exec(received.slice(0, head))?.[1]);
      if (received.length < head + 4 + length) return;
      this.responses.push({ status: Number(received.slice(9, 12)), ms: performance.now() - sentAt });
      received = '';
      send();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.broken.push(error.code ?? error.message));
    socket.on('close', () => {
      if (this.#sockets.delete(socket)) this.broken.push('closed');
    });
  }
}
