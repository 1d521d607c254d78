import { connect, type Socket } from 'node:net';

export type Answer = { readonly status: number; readonly ms: number };

/**
 * Asks over many connections at once, each with its next request as soon as the last one is answered, as a balancer's pool does
 * whose clients never stop. On bare sockets, so that the one who asks is not slower than the one who answers.
 * @param request the whole request as it goes over the wire; its answer has to have a Content-Length.
 */
export class LoadGenerator {
  readonly answers: Answer[] = [];
  /** Connections that ended other than by `stop`, by the code of their error. */
  readonly broken: string[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(url: string, request: string, connections: number) {
    const { hostname, port } = new URL(url);
    for (let index = 0; index < connections; index++) this.#connect(hostname, Number(port), request);
  }

  /** The answers so far, which are then forgotten. */
  take(): readonly Answer[] {
    return this.answers.splice(0);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #connect(host: string, port: number, request: string): void {
    const socket = connect(port, host).setNoDelay(true).setEncoding('latin1');
    let received = '';
    let askedAt = performance.now();
    const ask = (): void => {
      askedAt = performance.now();
      socket.write(request);
    };
    this.#sockets.add(socket);
    socket.once('connect', ask);
    socket.on('data', (chunk) => {
      received += chunk;
      const head = received.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/^content-length: (\d+)/im.exec(received.slice(0, head))?.[1]);
      if (received.length < head + 4 + length) return;
      this.answers.push({ status: Number(received.slice(9, 12)), ms: performance.now() - askedAt });
      received = '';
      ask();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.broken.push(error.code ?? error.message));
    socket.on('close', () => {
      if (this.#sockets.delete(socket)) this.broken.push('closed');
    });
  }
}
