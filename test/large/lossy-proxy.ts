import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { startTestServer } from '../support/test-server.ts';

export type LossyProxy = {
  readonly url: string;
  /** The address of the server from now on. Calls wait for it. */
  targetUrl: string | Promise<string>;
  /** The calls that the server has executed, by what `storageCall` or `serviceCall` calls them. */
  readonly calls: readonly string[];
  /**
   * Decides, after the server has executed a call, whether its response reaches the client. If not,
   * the connection is reset.
   */
  passesResponse: (call: string) => boolean | Promise<boolean>;
  /** Passes every response from now on, except this many responses to each of these calls. */
  lose(responses: Readonly<Record<string, number>>): void;
  /** Accepts no connection any more, until `restart`. */
  stop(): Promise<void>;
  restart(): Promise<void>;
};

/** A proxy through which all requests and responses pass unchanged, until it loses a response. */
export async function startLossyProxy(
  targetUrl: string,
  nameCall: (request: IncomingMessage) => string,
): Promise<LossyProxy> {
  const calls: string[] = [];
  const server = await startTestServer((incoming, outgoing) => void forward(incoming, outgoing));
  const proxy: LossyProxy = {
    url: server.origin,
    targetUrl,
    calls,
    passesResponse: () => true,
    lose: (responses) => {
      const left = new Map(Object.entries(responses));
      proxy.passesResponse = (call) => {
        const count = left.get(call) ?? 0;
        left.set(call, count - 1);
        return count <= 0;
      };
    },
    stop: server.stop,
    restart: server.restart,
  };
  return proxy;

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call = nameCall(incoming);
    const { method, headers } = incoming;
    const fail = () => server.reset(incoming);
    const url = `${await proxy.targetUrl}${incoming.url}`;
    const forwarded = request(url, { method, headers, agent: false });
    forwarded.on('error', fail).once('response', (response) => {
      calls.push(call);
      void Promise.resolve(proxy.passesResponse(call)).then((passes) => {
        if (!passes) return fail();
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        pipeline(response, outgoing, () => undefined);
      });
    });
    pipeline(incoming, forwarded, (error) => error && fail());
  }
}

/** The name of a call to the storage about an object, as OSS names it. */
export function storageCall({ method = '', url = '/' }: IncomingMessage): string {
  const { searchParams: query } = new URL(url, 'http://storage');
  if (query.has('uploads')) return 'InitiateMultipartUpload';
  if (query.has('partNumber')) return 'UploadPart';
  if (!query.has('uploadId')) return method;
  const names: Readonly<Record<string, string>> = {
    GET: 'ListParts',
    POST: 'CompleteMultipartUpload',
    DELETE: 'AbortMultipartUpload',
  };
  return names[method] ?? method;
}

/** The path of a call to the service. */
export function serviceCall({ url = '/' }: IncomingMessage): string {
  return url;
}
