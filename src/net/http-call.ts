/** How many levels of causes are searched for the system's code. */
const MAX_CAUSES = 5;

const UNRESOLVED = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_FAIL'];
const SLOW = ['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'];
const CLOSED = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];
const UNREACHABLE = [
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
];
const UNTRUSTED_CERTIFICATE = [
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...[
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'CERT_UNTRUSTED',
    'CERT_CHAIN_TOO_LONG',
  ],
];
const INVALID_CERTIFICATE = /^CERT_|^ERR_TLS_CERT/;
/** Names of errors of fetch for bytes that are not HTTP, or for headers beyond the limit. */
const INVALID_HTTP = ['HTTPParserError', 'ResponseContentLengthMismatchError'];

export type HttpRequest = {
  readonly fetch: typeof globalThis.fetch;
  /** Ends the call, including the response. */
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, because fetch would add a Content-Type to text. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
};

export type HttpCall = HttpRequest & {
  /** The body of any other status is not read, and is an error. */
  readonly statuses: readonly number[] | 'any';
  /** Of the body of the response, after decompression. */
  readonly maxBytes: number;
};

export type HttpResponse = {
  readonly status: number;
  /** Node.js limits their size: 16 KiB, unless it was started with another limit. */
  readonly headers: Headers;
  readonly body: Uint8Array;
};

/**
 * Makes one outgoing call with bounds: the signal ends it, and it reads at most `maxBytes`.
 *
 * Redirects are not followed, because the operator trusts only the configured address.
 * @throws Error that is safe to show to operators, with its causes. The message names the host and
 *   the system's error code. It contains nothing else of the address and nothing of the response.
 *   If there was a response, it is a {@link ResponseError}.
 */
export function callHttp(url: string, { statuses, maxBytes, ...request }: HttpCall): Promise<HttpResponse> {
  return send(url, request, async (response, host) => {
    const { status, headers } = response;
    if (statuses !== 'any' && !statuses.includes(status)) {
      await response.body?.cancel();
      throw new ResponseError(`${host} responded with status ${status}, not ${statuses.join(' or ')}`);
    }
    return { status, headers, body: await readAtMost(maxBytes, host, response) };
  });
}

/**
 * Makes one outgoing call as {@link callHttp} does, and returns the status as soon as the headers
 * of the response are there. Its body is neither read nor waited for, however long it is.
 * @throws Error as {@link callHttp} does.
 */
export function callForStatus(url: string, request: HttpRequest): Promise<number> {
  return send(url, request, async ({ status, body }) => {
    // The status is known, whether the body can be cancelled or not.
    void body?.cancel().catch(() => undefined);
    return status;
  });
}

async function send<Result>(
  url: string,
  { fetch, signal, method = 'GET', headers = {}, body }: HttpRequest,
  read: (response: Response, host: string) => Promise<Result>,
): Promise<Result> {
  const host = hostOf(url);
  try {
    return await read(
      await fetch(url, { method, signal, redirect: 'manual', headers, body: body ?? null }),
      host,
    );
  } catch (error) {
    if (error instanceof ResponseError) throw error;
    const cause = error instanceof Error ? error.cause : undefined;
    if (!signal.aborted && cause instanceof Error && cause.name === 'HeadersOverflowError')
      throw new LongHeadersError(`the headers of the response of ${host} are too long`, { cause: error });
    if (!signal.aborted && cause instanceof Error && INVALID_HTTP.includes(cause.name))
      throw new ResponseError(`the response of ${host} is not valid HTTP`, { cause: error });
    const reason = signal.aborted ? `${host} did not respond in time` : describeFailure(error, host);
    throw new Error(reason, { cause: error });
  }
}

/** The host of an address and its port, if it is not the default one. */
export function hostOf(url: string): string {
  return (URL.parse(url)?.host ?? '').slice(0, 255);
}

/** There was a response, but not one that the caller can use. */
export class ResponseError extends Error {}

/** The response has more headers than Node.js accepts: 16 KiB, unless started otherwise. */
export class LongHeadersError extends ResponseError {}

/**
 * Describes for operators why `fetch` had no response. Names the host and the system's error code,
 * and nothing else of the address.
 */
export function describeFailure(error: unknown, host: string): string {
  // fetch has no code for it, and connects to none of these ports: https://fetch.spec.whatwg.org/#port-blocking
  if (error instanceof Error && error.cause instanceof Error && error.cause.message === 'bad port')
    return `the port of ${host} is reserved for another protocol, so fetch never connects to it; use another port`;
  const code = codeOf(error);
  if (code === undefined) return `no response from ${host}`;
  if (UNRESOLVED.includes(code)) return `cannot resolve ${host} (${code})`;
  if (code === 'ECONNREFUSED') return `${host} refused the connection (${code})`;
  if (SLOW.includes(code)) return `${host} did not respond in time (${code})`;
  if (CLOSED.includes(code)) return `${host} closed the connection (${code})`;
  if (UNREACHABLE.includes(code)) return `cannot reach ${host} (${code})`;
  if (UNTRUSTED_CERTIFICATE.includes(code))
    return `the certificate of ${host} is not trusted (${code}); for a private CA set NODE_EXTRA_CA_CERTS`;
  if (INVALID_CERTIFICATE.test(code)) return `the certificate of ${host} is not valid (${code})`;
  return `no response from ${host} (${code})`;
}

/**
 * Returns the system's or the library's code of an error, from the error itself or its causes.
 * After several attempts, it is the code of the first one.
 */
function codeOf(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === 'object' && current !== null; depth++) {
    const { code, cause } = current as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code;
    current = cause ?? (current instanceof AggregateError ? current.errors[0] : undefined);
  }
  return undefined;
}

async function readAtMost(maxBytes: number, host: string, { body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body ?? []) {
    lengthBytes += chunk.length;
    // Leaving the loop cancels the rest of the response.
    if (lengthBytes > maxBytes)
      throw new ResponseError(`the response of ${host} is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
