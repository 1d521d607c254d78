import { randomBytes } from 'node:crypto';
import { readRequestCallback } from '../callbacks/read-callback.ts';
import { sendCallbackResult } from '../callbacks/send-callback-result.ts';
import { type ListedPart, parseCompleteList } from '../multipart/complete-list.ts';
import type { MultipartUpload, UploadedPart } from '../multipart/multipart-uploads.ts';
import { combineCrc64 } from '../objects/combine-crc64.ts';
import type { ObjectRecord } from '../objects/object-file.ts';
import { digestHeaders } from '../objects/object-response.ts';
import { partFolderOf } from '../objects/object-store.ts';
import { readPutHeaders } from '../objects/put-headers.ts';
import { newVersionId } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import { renderXml } from '../xml.ts';
import { createReader, optional, readEncoding } from './list-parameters.ts';
import type { ObjectOperation, ObjectRequest } from './operation.ts';
import { readDocument } from './read-body.ts';

/** Every part but the last has to have as many bytes. */
const MIN_PART_BYTES = 100 * 1024;
/** 10,000 parts have about 1 MB. */
const MAX_LIST_BYTES = 5 * 1024 ** 2;

/**
 * CompleteMultipartUpload: makes one object of the listed parts, or of all parts with
 * `x-oss-complete-all: yes`. No bytes are copied: the files of the parts become those of the
 * object. Of the attributes of the object, only the ACL comes from this request. A callback is made
 * after the object is stored.
 * @throws OssError, and the upload can still be completed.
 */
export const completeMultipartUpload: ObjectOperation = async (call) => {
  const { uploads, bucket, key, wire, response } = call;
  const read = createReader(wire.query);
  const encode = readEncoding(read);
  const id = read('uploadId') ?? '';
  const { acl, mayReplace } = readPutHeaders(wire.headers);
  const callback = readRequestCallback(wire.headers, wire.query, call.callbacks.allowPrivateAddresses);
  const isAll = readCompleteAll(wire.headers.get('x-oss-complete-all'));
  const body = await readDocument(call, MAX_LIST_BYTES);
  if (isAll && body.length > 0) {
    throw new OssError('completeAllWithBody', { ArgumentName: 'x-oss-complete-all' });
  }
  const upload = uploads.find(bucket, key, id);
  if (!upload) throw new OssError('noSuchUploadToComplete', { UploadId: id });
  const listed = isAll ? null : parseCompleteList(body.toString());

  let record: ObjectRecord | undefined;
  const isCompleted = await uploads.complete(upload, async () => {
    const parts = selectParts(upload, listed);
    record = await assemble(call, upload, parts, { acl, mayReplace: mayReplace || call.isVersioned });
    return parts;
  });
  if (!isCompleted || !record) throw new OssError('noSuchUploadToComplete', { UploadId: id });
  if (callback) return sendCallbackResult(call, callback, { record, operation: 'CompleteMultipartUpload' });
  const digests = digestHeaders(record);
  const xml = Buffer.from(
    renderXml([
      'CompleteMultipartUploadResult',
      [
        ...optional('EncodingType', read('encoding-type')),
        ['Location', locationOf(call)],
        ['Bucket', bucket],
        ['Key', encode(key)],
        ['ETag', digests.ETag],
      ],
    ]),
  );
  response
    .writeHead(200, { ...digests, 'Content-Type': 'application/xml', 'Content-Length': xml.length })
    .end(xml);
};

/** The URL of the request without its query: that of the object. */
function locationOf({ request, wire }: ObjectRequest): string {
  const [path = '/'] = (request.url ?? '/').split('?');
  return `http://${wire.headers.get('host') ?? ''}${path}`;
}

function readCompleteAll(value: string | undefined): boolean {
  if (value === undefined || value === 'yes') return value === 'yes';
  throw new OssError('invalidArgument', { ArgumentName: 'x-oss-complete-all', ArgumentValue: value });
}

/** The parts of the object, in their order. */
function selectParts(
  { parts }: MultipartUpload,
  listed: readonly ListedPart[] | null,
): readonly UploadedPart[] {
  const selected =
    listed?.map(({ partNumber, etag }) => {
      const part = parts.get(partNumber);
      if (part?.etag !== etag) throw new OssError('invalidPart');
      return part;
    }) ?? [...parts.values()].sort((a, b) => a.partNumber - b.partNumber);
  if (selected.length === 0) throw new OssError('invalidPart');
  if (selected.slice(0, -1).some(({ sizeBytes }) => sizeBytes < MIN_PART_BYTES)) {
    throw new OssError('partTooSmall');
  }
  return selected;
}

async function assemble(
  { store, bucket, key, clock, isVersioned }: ObjectRequest,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
  { acl, mayReplace }: { readonly acl: string; readonly mayReplace: boolean },
): Promise<ObjectRecord> {
  const record: ObjectRecord = {
    key,
    sizeBytes: parts.reduce((bytes, part) => bytes + part.sizeBytes, 0),
    // OSS does not document how it makes this ETag, so nothing may depend on more than its form.
    etag: `${randomBytes(16).toString('hex').toUpperCase()}-${parts.length}`,
    crc64: combineCrc64(parts),
    lastModifiedAt: clock().toUTCString(),
    acl,
    ...(isVersioned && { versionId: newVersionId() }),
    partFolder: partFolderOf(key, upload.id),
    headers: upload.headers.served,
  };
  const draft = await store.draft(bucket);
  try {
    const files = parts.map(({ name, sizeBytes }) => ({ name, sizeBytes }));
    await draft.write(Buffer.from(JSON.stringify(files)));
    if (await draft.commit(record, mayReplace)) return record;
    throw new OssError('fileAlreadyExistsAtComplete');
  } finally {
    await draft.discard();
  }
}
