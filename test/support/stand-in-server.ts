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

/** A test server that reads each request as a whole before it responds. */
export async function startStandInServer(
  answering: Answering,
  certificate?: Certificate,
): Promise<StandInServer> {
  const requests: StandInRequest[] = [];
  const server = await startTestServer((request, response) => void handle(request, response), certificate);
  const standIn: StandInServer = { port: server.port, requests, answering };
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
    if (!answer) return server.reset(incoming);
    response
      .writeHead(answer.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
      .end(answer.body);
  }
}
