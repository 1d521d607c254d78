import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallbackCaller } from './callbacks/callback-caller.ts';
import { corsHeaders } from './cors.ts';
import type { MultipartUploads } from './multipart/multipart-uploads.ts';
import { checkObjectName } from './objects/object-name.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { abortMultipartUpload } from './operations/abort-multipart-upload.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import { deleteObject } from './operations/delete-object.ts';
import { getObject } from './operations/get-object.ts';
import { getObjectMeta } from './operations/get-object-meta.ts';
import { headObject } from './operations/head-object.ts';
import { initiateMultipartUpload } from './operations/initiate-multipart-upload.ts';
import { listMultipartUploads } from './operations/list-multipart-uploads.ts';
import { listObjects } from './operations/list-objects.ts';
import { listParts } from './operations/list-parts.ts';
import type { BucketOperation, ObjectOperation } from './operations/operation.ts';
import { postObject } from './operations/post-object.ts';
import { sendPreflight } from './operations/preflight.ts';
import { putObject } from './operations/put-object.ts';
import { putSymlink } from './operations/put-symlink.ts';
import { uploadPart } from './operations/upload-part.ts';
import type { EmulatorBucket, EmulatorCredentials, EmulatorEvent } from './options.ts';
import { OssError } from './oss-error.ts';
import { parseRequestTarget, type RequestTarget } from './request-target.ts';
import { sendError } from './response.ts';
import type { WireRequest } from './signature/signature-v4.ts';
import { verifySignature } from './signature/verify-signature.ts';

export type Emulation = {
  readonly store: ObjectStore;
  readonly uploads: MultipartUploads;
  readonly callbacks: CallbackCaller;
  readonly buckets: ReadonlyMap<string, EmulatorBucket>;
  readonly credentials: readonly EmulatorCredentials[];
  readonly clock: () => Date;
};

/** One request, its response, and what is reported about it afterwards. */
type Exchange = {
  readonly emulation: Emulation;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly awaitsContinue: boolean;
  readonly event: EmulatorEvent;
};

/** Operations by the parameters that select them (sorted, with `&`), and by method. */
type Operations<Operation> = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const OBJECT_OPERATIONS: Operations<ObjectOperation> = {
  '': { GET: getObject, HEAD: headObject, PUT: putObject, DELETE: deleteObject },
  objectMeta: { GET: getObjectMeta, HEAD: getObjectMeta },
  symlink: { PUT: putSymlink },
  uploads: { POST: initiateMultipartUpload },
  'partNumber&uploadId': { PUT: uploadPart },
  uploadId: {
    GET: listParts,
    POST: completeMultipartUpload,
    DELETE: abortMultipartUpload,
    // Without a part number: for the right error.
    PUT: uploadPart,
  },
  partNumber: { PUT: uploadPart },
};

/** The operations after which OSS calls back. PostObject reads its callback from the form. */
const CALLING_BACK: ReadonlySet<ObjectOperation | undefined> = new Set([putObject, completeMultipartUpload]);
/** The parameters of a callback. Unlike others they do not select an operation. */
const CALLBACK_PARAMETERS = ['callback', 'callback-var'];

/** PostObject is not one of them: a form has its own signature. */
const BUCKET_OPERATIONS: Operations<BucketOperation> = {
  '': { GET: listObjects },
  uploads: { GET: listMultipartUploads },
};

/** Parameters that select an operation. Some of these are not emulated. */
const SUBRESOURCES = new Set(
  `acl append asyncFetch bucketInfo comp cors delete lifecycle location objectMeta partNumber policy
  position qos restore select seal symlink tagging uploadId uploads versioning versions website worm
  x-oss-async-process x-oss-process`.split(/\s+/),
);

/** Reported if the client disconnects before the response. */
const STATUS_CLIENT_GONE = 499;

/** Handles one request, including its errors, and returns its outcome. Never rejects. */
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
    await route({ emulation, request, response, awaitsContinue, event });
    event.status = response.statusCode;
  } catch (error) {
    if (request.socket.destroyed || response.headersSent) {
      response.destroy();
      return event;
    }
    const ossError = error instanceof OssError ? error : new OssError('internalError');
    event.status = ossError.status;
    event.code = ossError.code;
    if (ossError.ec) event.ec = ossError.ec;
    await sendError(request, response, ossError, { requestId, awaitsContinue });
  }
  return event;
}

async function route(exchange: Exchange): Promise<void> {
  const { emulation, request, response, event } = exchange;
  const headers = wireHeaders(request);
  const target = parseRequestTarget(request.url ?? '/', headers.get('host') ?? '', emulation.buckets);
  event.bucket = target.bucket;
  event.key = target.key;
  const method = request.method ?? '';
  const bucket = target.bucket === null ? undefined : emulation.buckets.get(target.bucket);
  if (target.bucket !== null && !bucket) throw new OssError('noSuchBucket', { BucketName: target.bucket });
  if (method === 'OPTIONS') return sendPreflight(response, bucket, headers);
  addCorsHeaders(response, bucket, headers.get('origin'), method);

  const wire: WireRequest = { ...target, method, headers };
  const { store, uploads, callbacks, clock, credentials } = emulation;
  const call = bucket &&
    target.bucket !== null && {
      ...exchange,
      ...{ store, uploads, callbacks, clock, credentials, wire, bucket: target.bucket },
      ...{ region: bucket.region, isVersioned: bucket.isVersioned ?? false },
    };
  const subresource = subresourceOf(target);
  const callbackParameter = CALLBACK_PARAMETERS.find((one) => target.query.some(({ name }) => name === one));
  if (call && target.key === '' && callbackParameter === undefined && method === 'POST' && subresource === '')
    return postObject(call);

  // A form that was sent to an object, for example to the URL of a PUT, instead of the bucket.
  const isStrayForm = method === 'POST' && subresource === '' && isForm(headers.get('content-type'));
  if (call && isStrayForm) throw methodNotAllowed(method);
  const signer = verifySignature(wire, { region: bucket?.region ?? null, credentials, now: clock() });
  const key = signer?.key ?? target.key;
  event.key = key;
  const isRead = method === 'GET' || method === 'HEAD';
  const isObject = key !== '';
  const isPost = method === 'POST' && subresource === '' && isObject;
  const isPublicRead = isRead && isObject && subresource !== 'uploadId';
  if (signer === null && !isPublicRead && !isPost) throw new OssError('accessDenied');
  if (!call) throw new OssError('notImplemented');
  if (!isRead && target.query.some(({ name }) => name === 'versionId')) throw new OssError('notImplemented');
  const operation = isObject ? OBJECT_OPERATIONS[subresource]?.[method] : undefined;
  const callbackHeader = isRead || !headers.has('x-oss-callback') ? undefined : 'x-oss-callback';
  const callback = callbackParameter ?? callbackHeader;
  if (callback !== undefined && !CALLING_BACK.has(operation)) {
    throw new OssError('notImplemented', { Header: callback });
  }
  if (!isObject) {
    const ofBucket = BUCKET_OPERATIONS[subresource]?.[method];
    if (ofBucket) return ofBucket(call);
    // A PUT to the bucket is usually an upload whose key is missing.
    throw new OssError(method === 'PUT' && subresource === '' ? 'objectNameEmpty' : 'notImplemented');
  }
  checkObjectName(key);
  if (operation) return operation({ ...call, key, isAnonymous: signer === null });
  if (subresource !== '') throw new OssError('notImplemented');
  throw methodNotAllowed(method);
}

function methodNotAllowed(method: string): OssError {
  return new OssError('methodNotAllowed', { Method: method, ResourceType: 'Object' });
}

function isForm(contentType: string | undefined): boolean {
  return /^multipart\/form-data(?:;|$)/i.test(contentType ?? '');
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

/** The parameters that select the operation, sorted and with `&` between them. */
function subresourceOf({ query }: RequestTarget): string {
  return query
    .map(({ name }) => name)
    .filter((name) => SUBRESOURCES.has(name))
    .sort()
    .join('&');
}

/**
 * All headers as they were sent, because all are verified. Node itself drops a second Content-Type.
 */
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
