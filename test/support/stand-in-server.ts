import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificate.ts';

export type StandInRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type Answer = { readonly status?: number; readonly body: string };

/** Says what to answer; `undefined` resets the connection. */
export type Answering = (request: StandInRequest) => Answer | undefined | Promise<Answer | undefined>;

export type StandInServer = {
  readonly port: number;
  /** What was asked so far. */
  readonly requests: readonly StandInRequest[];
  /** What it answers from now on. */
  answering: Answering;
};

/** A server on a free port of this machine, closed when the test ends. */
export async function startStandInServer(
  answering: Answering,
  certificate?: Certificate,
): Promise<StandInServer> {
  const requests: StandInRequest[] = [];
  const listener: RequestListener = (request, response) => void handle(request, response);
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  // Under TLS only the socket beneath can be reset.
  const connections = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => connections.set(socket.remotePort, socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const standIn: StandInServer = { port, requests, answering };
  return standIn;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', 'http://stand-in'),
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    const answer = await standIn.answering(request);
    if (!answer) return void connections.get(incoming.socket.remotePort)?.resetAndDestroy();
    response
      .writeHead(answer.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
      .end(answer.body);
  }
}
