import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import type { Clock } from '../../src/clock.ts';
import { now } from './fixed-clock.ts';

export type KeyServer = {
  readonly origin: string;
  /** The path of every request so far. */
  readonly requests: readonly string[];
  /** What it answers from now on. */
  answer: RequestListener;
  /** Closes the port, so that connections are refused. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
};

/** A real HTTP server on a free port, closed when the test ends. */
export async function startKeyServer(answer: RequestListener): Promise<KeyServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    keyServer.answer(request, response);
  });
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  const keyServer: KeyServer = {
    origin: `http://127.0.0.1:${port}`,
    requests,
    answer,
    stop,
    restart: () => listen(port),
  };
  return keyServer;
}

/** Answers every request with the value as JSON. */
export function json(value: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}

/** Answers only once the promise is fulfilled. */
export function answerAfter(released: Promise<void>, answer: RequestListener): RequestListener {
  return (request, response) => {
    void released.then(() => answer(request, response));
  };
}

/** A verifier with the real fetch and a short timeout; the rest is as by default. */
export function onlineVerifier(
  issuers: readonly IssuerConfig[],
  clock: Clock = () => now,
  timeoutMs = 2_000,
): TokenVerifier {
  return createTokenVerifier({ issuers, clock, keySources: createKeySources({ clock, fetch, timeoutMs }) });
}
