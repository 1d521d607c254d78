import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { answerPreflight, type CorsRule, corsHeaders } from './cors.ts';
import { getObject, sumHeaders } from './get-object.ts';
import { type ObjectStore, openObjectStore } from './object-store.ts';
import { OssError, renderErrorXml } from './oss-error.ts';
import { putObject } from './put-object.ts';
import { type EmulatorCredentials, verifySignature } from './verify-signature.ts';
import { readWireRequest, type WireRequest } from './wire-request.ts';

export type EmulatorBucket = {
  readonly region: string;
  /** Custom domains (CNAME) under which the bucket answers, in lower case, without a port. */
  readonly domains?: readonly string[];
  readonly corsRules?: readonly CorsRule[];
};

/** What came of one request; for a log. Never the query, which holds signatures. */
export type EmulatorEvent = {
  readonly requestId: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly status: number;
  readonly code?: string;
  readonly ec?: string;
};

export type EmulatorOptions = {
  /** Where objects live; created when it is missing. */
  readonly directory: string;
  readonly buckets: Readonly<Record<string, EmulatorBucket>>;
  readonly credentials: readonly EmulatorCredentials[];
  readonly clock: () => Date;
  /** 24 hex digits; also names files, so never the same twice. */
  readonly newRequestId?: () => string;
  readonly onRequest?: (event: EmulatorEvent) => void;
};

export type Emulator = { readonly url: string; readonly port: number; close(): Promise<void> };

/**
 * Starts an OSS for one machine: PutObject, GetObject, HeadObject, DeleteObject and CORS preflights, with V4 signatures checked
 * from the wire and faults told as OSS tells them. For development and tests only.
 */
export async function startEmulator(
  options: EmulatorOptions & { readonly host?: string; readonly port?: number },
): Promise<Emulator> {
  const { host = '127.0.0.1', port = 0, directory, buckets } = options;
  const newRequestId = options.newRequestId ?? (() => randomBytes(12).toString('hex').toUpperCase());
  const stores = new Map<string, ObjectStore>();
  for (const bucket of Object.keys(buckets)) {
    stores.set(bucket, await openObjectStore(join(directory, bucket), newRequestId));
  }
  const server = createServer({ maxHeaderSize: 65_536, requestTimeout: 0 }, (request, response) => {
    void answer(request, response, { ...options, newRequestId, stores, isWaiting: false });
  });
  // The client waits for a word before it sends the body: a refusal then saves it from sending it at all.
  server.on('checkContinue', (request, response) => {
    void answer(request, response, { ...options, newRequestId, stores, isWaiting: true });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${actualPort}`,
    port: actualPort,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type AnswerContext = EmulatorOptions & {
  readonly newRequestId: () => string;
  readonly stores: ReadonlyMap<string, ObjectStore>;
  /** The client sent `Expect: 100-continue`. */
  readonly isWaiting: boolean;
};

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  context: AnswerContext,
): Promise<void> {
  const requestId = context.newRequestId();
  response.setHeader('Server', 'AliyunOSS');
  response.setHeader('x-oss-request-id', requestId);
  const place = { method: incoming.method ?? '', bucket: '', key: '' };
  try {
    const request = readWireRequest(incoming, context.buckets);
    Object.assign(place, { bucket: request.bucket, key: request.key });
    const { corsRules = [] } = context.buckets[request.bucket] ?? {};
    setHeaders(response, corsHeaders(corsRules, request));
    await dispatch(request, incoming, response, context);
    context.onRequest?.({ requestId, ...place, status: response.statusCode });
  } catch (thrown) {
    // A connection that broke has nobody left to hear of it.
    if (incoming.destroyed && !incoming.complete) {
      response.destroy();
      return;
    }
    const error = thrown instanceof OssError ? thrown : new OssError('internal');
    refuse(error, requestId, incoming, response, context.isWaiting);
    context.onRequest?.({ requestId, ...place, status: error.status, code: error.code, ec: error.ec });
  }
}

async function dispatch(
  request: WireRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  { buckets, stores, credentials, clock, isWaiting }: AnswerContext,
): Promise<void> {
  const bucket = buckets[request.bucket];
  const store = stores.get(request.bucket);
  if (!bucket || !store) throw new OssError('noSuchBucket', { BucketName: request.bucket });
  if (request.method === 'OPTIONS') {
    const headers = answerPreflight(bucket.corsRules ?? [], request);
    if (!headers) throw new OssError('corsForbidden');
    setHeaders(response, headers);
    response.end();
    return;
  }
  verifySignature(request, { credentials, region: bucket.region, now: clock() });
  refuseSubresources(request);
  switch (request.method) {
    case 'PUT': {
      const body = () => {
        if (isWaiting) response.writeContinue();
        return incoming;
      };
      setHeaders(response, sumHeaders(await putObject(request, body, store, clock())));
      response.end();
      return;
    }
    case 'GET':
    case 'HEAD': {
      const object = await getObject(request, store);
      response.writeHead(object.status, object.headers);
      if (request.method === 'HEAD') response.end();
      else await pipeline(object.body(), response);
      return;
    }
    case 'DELETE':
      if (request.key === '') throw new OssError('notImplemented');
      await store.remove(request.key);
      response.writeHead(204).end();
      return;
    default:
      throw new OssError('method', { Method: request.method });
  }
}

/** Whatever stands in the query beside the signature asks for something that the emulator does not do. */
function refuseSubresources({ query }: WireRequest): void {
  const known =
    /^(?:x-oss-(?:signature|signature-version|credential|date|expires|additional-headers|security-token|traffic-limit))$/;
  for (const name of query.keys()) {
    if (!known.test(name)) throw new OssError('notImplemented', { Header: name });
  }
}

function refuse(
  error: OssError,
  requestId: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  isWaiting: boolean,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const xml = renderErrorXml(error, requestId, incoming.headers.host ?? '');
  setHeaders(response, { 'x-oss-ec': error.ec, 'content-type': 'application/xml' });
  if (incoming.method === 'HEAD') response.setHeader('x-oss-err', Buffer.from(xml).toString('base64'));
  // The body that was announced will not come, so the next request could not be told from it.
  if (isWaiting) response.setHeader('connection', 'close');
  response.writeHead(error.status).end(incoming.method === 'HEAD' ? undefined : xml);
  // A client that is still sending reads the answer only when it is done.
  if (!isWaiting) incoming.resume();
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
