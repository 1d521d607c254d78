import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { startTestServer } from './test-server.ts';

export type LossyProxy = {
  readonly url: string;
  /** Every request so far: its method and its query without values that differ in each test. */
  readonly requests: readonly string[];
  /**
   * Loses the next request that a pattern matches, or its response: the connection is reset before
   * the server gets the request, or after it has handled it.
   * @param pattern of `<method> <path and query>`.
   */
  loseNext(what: 'request' | 'response', pattern: RegExp): void;
  /** Runs once, after the server has handled the next request that a pattern matches. */
  afterNext(pattern: RegExp, run: () => Promise<void>): void;
};

/** A proxy in front of an HTTP server that loses requests and responses, closed when the test ends. */
export async function startLossyProxy(serverUrl: string): Promise<LossyProxy> {
  const requests: string[] = [];
  const events: { readonly pattern: RegExp; readonly run: 'request' | 'response' | (() => Promise<void>) }[] =
    [];
  const proxy = await startTestServer((incoming, response) => void handle(incoming, response));
  return {
    url: proxy.origin,
    requests,
    loseNext: (run, pattern) => void events.push({ pattern, run }),
    afterNext: (pattern, run) => void events.push({ pattern, run }),
  };

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    const index = events.findIndex(({ pattern }) => pattern.test(line));
    const [event] = index < 0 ? [] : events.splice(index, 1);
    if (event?.run === 'request') return proxy.reset(incoming);
    const { status, headers, body } = await forward(incoming);
    if (event?.run === 'response') return proxy.reset(incoming);
    await event?.run();
    response.writeHead(status, headers).end(body);
  }

  async function forward(
    incoming: IncomingMessage,
  ): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }> {
    const body = await buffer(incoming);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(new URL(incoming.url ?? '/', serverUrl), {
      ...(incoming.method !== undefined && { method: incoming.method }),
      headers: incoming.headers,
    })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
    const received = await promise;
    return { status: received.statusCode ?? 500, headers: received.headers, body: await buffer(received) };
  }
}
