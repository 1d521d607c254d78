import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Names and values in turn, in the case and order in which they were sent. */
export type RawHeaders = readonly string[];

/** A request that passed the wire, as the client sent it, and the response of the server. */
export type Exchange = {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  /** The body of a POST; that of a PUT is a file, and not kept. */
  readonly body: string;
  readonly status: number;
  readonly response: string;
};

/** The fault of one request: no response, a response of the wire, or a response that is lost after the server acted. */
export type Fault =
  | 'reset'
  | 'lose response'
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Whether the server gets the request all the same, and only its response is replaced. */
      readonly isPassedOn?: boolean;
    };

/** The changes to requests and responses. Without a field, they pass unchanged. */
export type Interference = {
  /** The faults of the first requests, in order; preflights do not count. */
  readonly faults?: readonly (Fault | undefined)[];
  readonly request?: (headers: RawHeaders) => RawHeaders;
  readonly response?: (body: string, status: number) => string;
};

export type Wire = {
  readonly url: string;
  /** All that passed since the last call of `interfere`. */
  readonly exchanges: Exchange[];
  /** A header's value in the last request that passed. */
  sent(header: string): string | undefined;
  /** From now on; forgets what passed so far. */
  interfere(interference: Interference): void;
  close(): Promise<void>;
};

/**
 * Starts a server between a client and a server: it passes requests on as they arrive, records each
 * exchange, and can change the headers of requests and the bodies of responses. It keeps each response
 * in memory, so responses should be small.
 */
export async function startWire(upstream: string): Promise<Wire> {
  const { hostname, port } = new URL(upstream);
  let interference: Interference = {};
  let seen = 0;
  const exchanges: Exchange[] = [];
  const server = createServer(pass).on('checkContinue', pass);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    sent: (header) => {
      const headers = exchanges.at(-1)?.headers ?? [];
      const at = headers.findIndex(
        (text, index) => index % 2 === 0 && text.toLowerCase() === header.toLowerCase(),
      );
      return at < 0 ? undefined : headers[at + 1];
    },
    interfere: (next) => {
      interference = next;
      seen = 0;
      exchanges.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = '', url: target = '/', rawHeaders } = incoming;
    let body = '';
    if (method === 'POST') incoming.setEncoding('utf8').on('data', (text) => (body += text));
    const record = () => ({ method, target, headers: rawHeaders, body });
    const fault = method === 'OPTIONS' ? undefined : interference.faults?.[seen++];
    if (fault === 'reset') {
      incoming.destroy();
      return;
    }
    if (typeof fault === 'object' && !fault.isPassedOn) {
      incoming.resume().on('end', () => {
        exchanges.push({ ...record(), status: fault.status, response: fault.body ?? '' });
        outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      });
      return;
    }
    const headers = interference.request?.(rawHeaders) ?? rawHeaders;
    const onward = request({ hostname, port, method, path: target, headers });
    onward.on('continue', () => outgoing.writeContinue());
    onward.on('error', () => outgoing.destroy());
    // The server must not wait for the rest of a request whose client has gone.
    incoming.on('close', () => incoming.complete || onward.destroy());
    onward.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const status = response.statusCode ?? 0;
        exchanges.push({ ...record(), status, response: text });
        if (fault === 'lose response') {
          outgoing.destroy();
          return;
        }
        if (fault) {
          outgoing
            .writeHead(fault.status, { etag: response.headers.etag ?? '', ...fault.headers })
            .end(fault.body);
          return;
        }
        // The response to a HEAD states the length of a body that it does not have.
        const changed = method === 'HEAD' ? undefined : interference.response?.(text, status);
        const length = changed === undefined ? {} : { 'content-length': Buffer.byteLength(changed) };
        outgoing.writeHead(status, { ...response.headers, ...length });
        outgoing.end(changed ?? Buffer.concat(chunks));
      });
    });
    incoming.pipe(onward);
  }
}
