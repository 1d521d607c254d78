import type { Readable } from 'node:stream';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { OssError } from './oss-error.ts';
import type { WireRequest } from './wire-request.ts';

/** OSS's limit for one PUT: 5 GB. */
const MAX_BYTES = 5 * 1024 ** 3;
const MAX_METADATA_BYTES = 8192;

const STORED_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'expires',
  'x-oss-storage-class',
  'x-oss-object-acl',
  'x-oss-tagging',
];

const POSSIBLE_VALUES: Readonly<Record<string, readonly string[]>> = {
  'x-oss-forbid-overwrite': ['true', 'false'],
  'x-oss-object-acl': ['default', 'private', 'public-read', 'public-read-write'],
  'x-oss-storage-class': ['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'],
  'x-oss-server-side-encryption': ['AES256', 'KMS', 'SM4'],
};

/**
 * PutObject: the body becomes the object, all of it or nothing.
 * @param body asked for only when nothing else is wrong.
 * @throws OssError; then the object that was there before is still there.
 */
export async function putObject(
  request: WireRequest,
  body: () => Readable,
  store: ObjectStore,
  now: Date,
): Promise<StoredObject> {
  checkHeaders(request);
  const keepExisting = request.headers.get('x-oss-forbid-overwrite') === 'true';
  if (keepExisting && (await store.find(request.key))) throw new OssError('exists');
  const bytes = await store.receive(body());
  const contentMd5 = request.headers.get('content-md5');
  if (bytes.size > MAX_BYTES || (contentMd5 !== undefined && contentMd5 !== bytes.contentMd5)) {
    await store.discard(bytes);
    throw new OssError(bytes.size > MAX_BYTES ? 'tooLarge' : 'digest');
  }
  const object = {
    ...bytes,
    key: request.key,
    lastModified: now.toUTCString(),
    headers: storedHeaders(request),
  };
  if (!(await store.commit(object, keepExisting))) throw new OssError('exists');
  return object;
}

function checkHeaders({ headers, key }: WireRequest): void {
  if (key === '') throw new OssError('keyEmpty');
  if (
    ['if-modified-since', 'if-none-match', 'if-match', 'if-unmodified-since'].some((name) =>
      headers.has(name),
    )
  ) {
    throw new OssError('conditionalPut');
  }
  const contentLength = headers.get('content-length');
  if (contentLength === undefined && !/\bchunked\b/i.test(headers.get('transfer-encoding') ?? '')) {
    throw new OssError('lengthMissing');
  }
  if (Number(contentLength ?? 0) > MAX_BYTES)
    throw new OssError('tooLarge', { MaxSizeAllowed: String(MAX_BYTES) });
  const contentMd5 = headers.get('content-md5');
  if (contentMd5 !== undefined && !/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(contentMd5))
    throw new OssError('digest');
  for (const [name, values] of Object.entries(POSSIBLE_VALUES)) {
    const value = headers.get(name);
    if (value !== undefined && !values.includes(value))
      throw new OssError('header', { ArgumentName: name, ArgumentValue: value });
  }
  let metadataBytes = 0;
  for (const [name, value] of headers) {
    if (name.startsWith('x-oss-meta-')) metadataBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (metadataBytes > MAX_METADATA_BYTES) throw new OssError('metadataTooLarge');
}

function storedHeaders({ headers }: WireRequest): Readonly<Record<string, string>> {
  const kept = [...headers].filter(
    ([name]) => STORED_HEADERS.includes(name) || name.startsWith('x-oss-meta-'),
  );
  return {
    'content-type': headers.get('content-type') ?? 'application/octet-stream',
    ...Object.fromEntries(kept),
  };
}
