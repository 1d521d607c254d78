import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { answerPreflight, corsHeaders } from './cors.ts';
import { checkObjectName } from './objects/object-name.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { answerGet, digestHeaders } from './operations/get-object.ts';
import { putObject } from './operations/put-object.ts';
import type { EmulatorBucket, EmulatorCredentials, EmulatorEvent } from './options.ts';
import { OssError } from './oss-error.ts';
import { parseRequestTarget, type RequestTarget } from './request-target.ts';
import { answerError } from './response.ts';
import type { WireRequest } from './signature/signature-v4.ts';
import { verifySignature } from './signature/verify-signature.ts';

export type Emulation = {
  readonly store: ObjectStore;
  readonly buckets: ReadonlyMap<string, EmulatorBucket>;
  readonly credentials: readonly EmulatorCredentials[];
  readonly clock: () => Date;
};

/** One request on its way: what is sent back, and what is told about it afterwards. */
type Exchange = {
  readonly emulation: Emulation;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly awaitsContinue: boolean;
  readonly event: EmulatorEvent;
};

// Each asks for another operation than the four on objects.
const SUBRESOURCES = new Set(
  `acl append asyncFetch bucketInfo callback callback-var comp cors delete lifecycle location objectMeta partNumber policy
  position qos restore select seal symlink tagging uploadId uploads versionId versioning versions website worm
  x-oss-async-process x-oss-process`.split(/\s+/),
);

const STATUS_CLIENT_GONE = 499;

/** Answers one request, whatever comes of it, and tells what happened. Never rejects. */
export async function handleRequest(
  emulation: Emulation,
  request: IncomingMessage,
  response: ServerResponse,
  context: { requestId: string; awaitsContinue: boolean },
): Promise<EmulatorEvent> {
  const { requestId, awaitsContinue } = context;
  const receivedAt = emulation.clock();
  const event: EmulatorEvent = {
    requestId,
    method: request.method ?? '',
    bucket: null,
    key: '',
    status: STATUS_CLIENT_GONE,
    bytes: 0,
  };
  response.setHeader('Server', 'AliyunOSS');
  response.setHeader('Date', receivedAt.toUTCString());
  response.setHeader('x-oss-request-id', requestId);
  response.setHeader('x-oss-server-time', '0');
  try {
    await dispatch({ emulation, request, response, awaitsContinue, event });
    event.status = response.statusCode;
  } catch (error) {
    if (request.socket.destroyed || response.headersSent) {
      response.destroy();
      return event;
    }
    const refusal = error instanceof OssError ? error : new OssError('internalError');
    event.status = refusal.status;
    event.code = refusal.code;
    if (refusal.ec) event.ec = refusal.ec;
    await answerError(request, response, refusal, { requestId, awaitsContinue });
  }
  return event;
}

async function dispatch(exchange: Exchange): Promise<void> {
  const { emulation, request, response, event } = exchange;
  const headers = wireHeaders(request);
  const target = parseRequestTarget(request.url ?? '/', headers.get('host') ?? '', emulation.buckets);
  event.bucket = target.bucket;
  event.key = target.key;
  const method = request.method ?? '';
  const bucket = target.bucket === null ? undefined : emulation.buckets.get(target.bucket);
  if (target.bucket !== null && !bucket) throw new OssError('noSuchBucket', { BucketName: target.bucket });
  if (method === 'OPTIONS') return answerOptions(response, bucket, headers);
  addCorsHeaders(response, bucket, headers.get('origin'), method);

  const wire: WireRequest = { ...target, method, headers };
  const signer = verifySignature(wire, {
    region: bucket?.region ?? null,
    credentials: emulation.credentials,
    now: emulation.clock(),
  });
  const key = signer?.key ?? target.key;
  event.key = key;
  const isRead = method === 'GET' || method === 'HEAD';
  if (signer === null && (!isRead || key === '')) throw new OssError('accessDenied');
  if (target.bucket === null || (key === '' && method !== 'PUT') || asksForSubresource(target)) {
    throw new OssError('notImplemented');
  }
  checkObjectName(key);
  const addressed = { bucket: target.bucket, key };
  if (isRead) return get(exchange, { ...addressed, wire, isAnonymous: signer === null });
  if (method === 'PUT') return put(exchange, { ...addressed, wire });
  if (method === 'DELETE') {
    await emulation.store.remove(addressed.bucket, addressed.key);
    response.writeHead(204).end();
    return;
  }
  throw new OssError(method === 'POST' ? 'notImplemented' : 'methodNotAllowed');
}

async function put(
  { emulation, request, response, awaitsContinue, event }: Exchange,
  { bucket, key, wire }: { bucket: string; key: string; wire: WireRequest },
): Promise<void> {
  const { store, clock } = emulation;
  const readBody = () => {
    if (awaitsContinue) response.writeContinue();
    return request.iterator({ destroyOnReturn: false });
  };
  const record = await putObject({ store, bucket, key, headers: wire.headers, readBody, clock });
  event.bytes = record.sizeBytes;
  response.writeHead(200, { ...digestHeaders(record), 'Content-Length': 0 }).end();
}

async function get(
  { emulation, request, response, event }: Exchange,
  target: { bucket: string; key: string; wire: WireRequest; isAnonymous: boolean },
): Promise<void> {
  const { bucket, key, wire, isAnonymous } = target;
  const object = await emulation.store.open(bucket, key);
  try {
    if (isAnonymous && !object?.record.acl.startsWith('public-read')) throw new OssError('accessDenied');
    if (!object) throw new OssError('noSuchKey', { Key: key });
    const { status, headers, range } = answerGet(object.record, wire.headers, isAnonymous ? [] : wire.query);
    response.writeHead(status, headers);
    if (range === null || request.method === 'HEAD') {
      response.end();
      return;
    }
    await pipeline(object.handle.createReadStream({ ...range, autoClose: false }), response);
    event.bytes = range.end - range.start + 1;
  } finally {
    await object?.handle.close();
  }
}

function answerOptions(
  response: ServerResponse,
  bucket: EmulatorBucket | undefined,
  headers: ReadonlyMap<string, string>,
): void {
  const origin = headers.get('origin');
  const method = headers.get('access-control-request-method');
  if (origin === undefined) throw new OssError('preflightOriginMissing');
  if (method === undefined) throw new OssError('preflightMethodMissing');
  const requested = headers.get('access-control-request-headers') ?? '';
  const answer = answerPreflight(bucket?.corsRules ?? [], origin, method, requested);
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (answer === null) throw new OssError('accessForbidden');
  response.writeHead(200, { ...answer, 'Content-Length': 0 }).end();
}

function addCorsHeaders(
  response: ServerResponse,
  bucket: EmulatorBucket | undefined,
  origin: string | undefined,
  method: string,
): void {
  if (!bucket?.corsRules?.length) return;
  response.setHeader('Vary', 'Origin');
  if (origin === undefined) return;
  for (const [name, value] of Object.entries(corsHeaders(bucket.corsRules, origin, method))) {
    response.setHeader(name, value);
  }
}

function asksForSubresource({ query }: RequestTarget): boolean {
  return query.some(({ name }) => SUBRESOURCES.has(name));
}

/** Every header as it came, where Node would drop a second Content-Type: what is verified is all that is there. */
function wireHeaders({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return headers;
}
