import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const MAX_HEAD_BYTES = 64 * 1024;
export const MAX_RESPONSE_BYTES = 1024 ** 2;

export type HttpResponse = {
  readonly status: number;
  /** The body; null without a `Content-Length`, or if it is shorter than that. */
  readonly body: Buffer | null;
  /** It is longer than 1 MB, and was not read. */
  readonly isTooLong: boolean;
};

export type Connection = {
  readonly sendsServerName: boolean;
  readonly lookup: LookupFunction;
  /** Authorities to trust (PEM) instead of those of Node.js. */
  readonly ca: string | undefined;
  /** Ends the exchange. */
  readonly signal: AbortSignal;
};

/**
 * Sends one HTTP request unchanged over a new connection, and reads the response. Only an
 * response of status 200 is read further than its header.
 * @throws Error if there is no response of HTTP/1.x, or the signal ends the exchange.
 */
export async function exchangeHttp(
  url: URL,
  request: Uint8Array,
  { sendsServerName, lookup, ca, signal }: Connection,
): Promise<HttpResponse> {
  signal.throwIfAborted();
  const host = url.hostname;
  const isTls = url.protocol === 'https:';
  const address = { host, port: Number(url.port || (isTls ? 443 : 80)), family: 4, lookup };
  const servername = sendsServerName && isIP(host) === 0 ? host : '';
  const socket = isTls ? connectTls({ ...address, servername, ...(ca && { ca }) }) : connect(address);
  const abort = () => socket.destroy(new Error('The exchange has been ended.'));
  signal.addEventListener('abort', abort);
  try {
    // Nothing is sent to a server whose certificate is not valid.
    await once(socket, isTls ? 'secureConnect' : 'connect');
    socket.write(request);
    return await readResponse(socket);
  } finally {
    signal.removeEventListener('abort', abort);
    // An error that comes later concerns no caller.
    socket.on('error', () => undefined).destroy();
  }
}

async function readResponse(socket: Socket): Promise<HttpResponse> {
  let received = Buffer.alloc(0);
  let head: Head | null = null;
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    if (head === null) {
      received = Buffer.concat([received, chunk]);
      head = parseHead(received);
      if (head === null) continue;
      const { status, length } = head;
      if (status !== 200 || length === null) return { status, body: null, isTooLong: false };
      if (length > MAX_RESPONSE_BYTES) return { status, body: null, isTooLong: true };
      chunks = [received.subarray(head.end)];
      bytes = received.length - head.end;
    } else {
      chunks.push(chunk);
      bytes += chunk.length;
    }
    const { status, length } = head;
    if (length !== null && bytes >= length) {
      return { status, body: Buffer.concat(chunks).subarray(0, length), isTooLong: false };
    }
  }
  if (head === null) throw new Error('The server has closed the connection.');
  return { status: head.status, body: null, isTooLong: false };
}

type Head = {
  readonly status: number;
  /** Null if there is none, or the body is in chunks. */
  readonly length: number | null;
  /** Where the body begins. */
  readonly end: number;
};

/** Null until it is complete. */
function parseHead(received: Buffer): Head | null {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0 && received.length < MAX_HEAD_BYTES) return null;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, Math.max(end, 0)).split('\r\n');
  const status = /^HTTP\/1\.\d (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new Error('The response is not HTTP/1.x.');
  const headerOf = (name: string) =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
  const length = headerOf('content-length')?.trim() ?? '';
  const hasLength = /^\d{1,15}$/.test(length) && headerOf('transfer-encoding') === undefined;
  return { status: Number(status), length: hasLength ? Number(length) : null, end: end + 4 };
}
