import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Certificate } from './certificate.ts';
import { startTestServer } from './test-server.ts';

export type StandInRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type StandInResponse = { readonly status?: number; readonly body: string };

/** Makes the response; `undefined` resets the connection. */
export type Respond = (
  request: StandInRequest,
) => StandInResponse | undefined | Promise<StandInResponse | undefined>;

export type StandInServer = {
  readonly port: number;
  /** The requests so far. */
  readonly requests: readonly StandInRequest[];
  /** How it responds from now on. */
  respond: Respond;
};

/** A test server that reads each request as a whole before it responds. */
export async function startStandInServer(
  respond: Respond,
  certificate?: Certificate,
): Promise<StandInServer> {
  const requests: StandInRequest[] = [];
  const server = await startTestServer((request, response) => void handle(request, response), certificate);
  const standIn: StandInServer = { port: server.port, requests, respond };
  return standIn;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', 'http://stand-in'),
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    const made = await standIn.respond(request);
    if (!made) return server.reset(incoming);
    response
      .writeHead(made.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
      .end(made.body);
  }
}
